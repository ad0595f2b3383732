"""Folders: the names and contents of all files below one; never times, modes or places.

Names count letter by letter and byte by byte, as the system lists them. Links to files inside the folder count as what
they point to; other links count as where they point, and are not followed. Empty folders do not count.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mlrepro.fingerprints.cache import IDENTITY, Listing, identity
from pytest_mlrepro.fingerprints.digests import Fingerprint, blake3, node, text_bytes
from pytest_mlrepro.fingerprints.reading import WHOLE, Reader, not_a_file, unreadable
from pytest_mlrepro.model import Value

_NAMES_BUDGET = 1_600
_GROUPS = 32
_SIZES = struct.Struct("<QQ")
_END = "\0"


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below a folder, in the order of their listing.

    Attributes:
        names: relative to the folder, parts joined by a slash, with a NUL between one and the next.
        seen: their identities, one after the other; None where they were not asked for, or do not fit.
        targets: where the links point that are not followed, by name; the other links are among the files.
    """

    names: str
    seen: bytes | None
    targets: Mapping[str, str]

    def files(self) -> list[str]:
        """The names of the files."""
        return self.names.split(_END) if self.names else []

    def stamp(self, seen: bytes) -> bytes:
        """The digest of all that tells it from the tree of other content, given the identities of its files."""
        names = text_bytes(self.names)
        links = (part for link in sorted(self.targets.items()) for part in link)
        hasher = blake3()(_SIZES.pack(len(names), len(seen)))
        for part in (names, seen, node("links", *links)):
            hasher.update(part)
        return hasher.digest()  # type: ignore[no-any-return]


def folder_fingerprint(folder: Path, reader: Reader) -> Fingerprint:
    """The fingerprint of a folder: the names of all files below it, and their bytes.

    Raises:
        FingerprintError: for what cannot be read, is neither file nor folder, or changes meanwhile.
        OSError: where the folder itself cannot be found.
    """
    hashing, cache = reader.hashing, reader.cache
    root = folder.resolve()
    status = root.stat()
    known = cache.find_folder(status, hashing) if cache is not None else None
    # Where it was never read there is nothing to look up: then the status that goes with the reading is enough.
    tree = walk(root, with_status=known is not None)
    if known is not None and tree.seen is not None and tree.stamp(tree.seen) == known.stamp:
        return hashing.seal(known.root, known.detail)
    taken = _Taken(root, reader).all(tree)
    listing = Listing(taken.stamp(tree), *summed(taken.roots, tree.targets, taken.size))
    if cache is not None:
        cache.note_folder(status, listing, hashing)
    return hashing.seal(listing.root, listing.detail)


def summed(
    contents: Mapping[str, bytes], targets: Mapping[str, str], size: int, kind: str = "folder"
) -> tuple[bytes, dict[str, Value]]:
    """The digest and detail of a folder.

    Args:
        contents: the digest of each file, by name.
        targets: see ``Tree``.
        size: of all files, in bytes.
        kind: what it is called.
    """
    digests = {**contents, **{name: node("link", target) for name, target in targets.items()}}
    names = sorted(digests)
    ordered = [digests[name] for name in names]
    root = node(kind, *(part for entry in zip(names, ordered, strict=True) for part in entry))
    detail: dict[str, Value] = {"kind": kind, "files": len(names), "size": size}
    return root, detail | _told(names, ordered)


def walk(root: Path, *, with_status: bool = False) -> Tree:
    """The files below a folder.

    Raises:
        FingerprintError: for a folder that cannot be read, and for what is neither file nor folder.
    """
    try:
        return _walk(root, with_status)
    except struct.error:
        return _walk(root, with_status=False)
    except OSError as error:
        place = os.path.relpath(error.filename, root) if isinstance(error.filename, str) else root.name
        raise unreadable(root.name if place == os.curdir else Path(place).as_posix(), error) from None


def _walk(root: Path, with_status: bool) -> Tree:
    names: list[str] = []
    seen: list[bytes] = []
    links: list[tuple[str, str]] = []
    folders = [(str(root), "")]
    pack = IDENTITY.pack
    while folders:
        folder, above = folders.pop()
        # Lists of plain values, a folder at a time: one object a file would cost more than its status does.
        own: list[str] = []
        packed: list[bytes] = []
        with os.scandir(folder) as found:
            for entry in found:
                if entry.is_file(follow_symlinks=False):
                    own.append(entry.name)
                    if with_status:
                        state = _status(entry, follow_symlinks=False)
                        packed.append(
                            pack(
                                state.st_dev,
                                state.st_ino,
                                state.st_size,
                                state.st_mtime_ns,
                                state.st_ctime_ns,
                            )
                        )
                elif entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{above}{entry.name}/"))
                elif entry.is_symlink():
                    links.append((f"{above}{entry.name}", entry.path))
                else:
                    raise not_a_file(f"{above}{entry.name}")
        if own:
            names.append(above + f"{_END}{above}".join(own))
            seen.append(b"".join(packed))
    targets = {}
    for name, path in links:
        link = Path(path)
        if _is_out(link, root):
            targets[name] = link.readlink().as_posix()
        else:
            names.append(name)
            seen.append(identity(link.stat()))
    return Tree(_END.join(names), b"".join(seen) if with_status else None, targets)


def _entry_status(entry: os.DirEntry[str], *, follow_symlinks: bool) -> os.stat_result:
    # The status that Windows gives with a listing has no inode.
    return os.stat(entry.path, follow_symlinks=follow_symlinks)  # noqa: PTH116


_status: Callable[..., os.stat_result] = _entry_status if os.name == "nt" else os.DirEntry.stat


def _is_out(link: Path, root: Path) -> bool:
    """Whether a link leads to anything but a file inside the folder."""
    try:
        target = link.resolve()
        return not (target.is_relative_to(root) and target.is_file())
    except (OSError, RuntimeError):
        # Links in a circle.
        return True


@dataclass(slots=True)
class _Taken:
    """What the files of a folder come to.

    Attributes:
        root: the folder.
        reader: how they are read.
        roots: the digest of each, by name.
        seen: the identity of each, where the cache knows it.
        size: of all, in bytes.
    """

    root: Path
    reader: Reader
    roots: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def all(self, tree: Tree) -> _Taken:
        """Read what is not known."""
        names = tree.files()
        places = {name: place for place, name in enumerate(names)} if tree.seen else {}
        above = os.path.join(self.root, "")  # noqa: PTH118 - with a slash at its end
        for name in sorted(names):
            if tree.seen and self._find(name, tree.seen, places[name] * IDENTITY.size):
                continue
            try:
                size, content, kept = self.reader.read(above + name, name, WHOLE)
            except OSError as error:
                raise unreadable(name, error) from None
            self.roots[name] = content.root
            self.size += size
            if kept:
                self.seen[name] = kept
        return self

    def _find(self, name: str, every: bytes, start: int) -> bool:
        seen = every[start : start + IDENTITY.size]
        content = self.reader.find(seen, WHOLE)
        if content is None:
            return False
        self.roots[name], self.seen[name] = content.root, seen
        self.size += IDENTITY.unpack(seen)[2]
        return True

    def stamp(self, tree: Tree) -> bytes:
        """That of the tree as it was read; empty where later content may have it as well."""
        if len(self.seen) < len(self.roots):
            return b""
        return tree.stamp(b"".join(map(self.seen.__getitem__, tree.files())))


def _told(names: Sequence[str], digests: Sequence[bytes]) -> dict[str, Value]:
    """What tells later which file changed: every name if they fit, else neighbours in the order of names."""
    if sum(map(len, names)) + 16 * len(names) <= _NAMES_BUDGET:
        entries = zip(names, digests, strict=True)
        return {"entries": tuple((name, digest[:4].hex()) for name, digest in entries)}
    size = -(-len(names) // _GROUPS)
    firsts = range(0, len(names), size)
    return {
        "names": node("names", *names)[:4].hex(),
        "groups": tuple(
            (_brief(names[first]), node("group", *digests[first : first + size])[:4].hex())
            for first in firsts
        ),
    }


def _brief(name: str) -> str:
    return name if len(name) <= 40 else f"...{name[-37:]}"
