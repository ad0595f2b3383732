"""The project's own code, read from its files: what an object is made of, and what the code imports.

Nothing is imported or executed. ``digest`` turns syntax into a value that formatting does not change,
``names`` says which names a piece of syntax uses, ``module`` splits a file into definitions, ``places``
finds the files of modules, ``anchors`` those of objects, and ``graph`` follows one into the next.
"""

from pytest_mlrepro.codegraph.graph import CodeGraph

__all__ = ["CodeGraph"]
