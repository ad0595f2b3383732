"""Sign a statement with an SSH key, as git signs commits: ssh-keygen has the key, or asks the agent that has."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

from pytest_mlrepro.errors import ExportError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
NAMESPACE = "in-toto"
"""The word that the signature is bound to: one that was made for another purpose is none for this."""


def signed(statement: str, key: Path) -> dict[str, Any]:
    """A statement in an envelope (DSSE v1) with its signature, in JSON's types.

    The signature is over the envelope's pre-authentication encoding, in the format of ``ssh-keygen -Y sign``; see
    https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.

    Args:
        statement: the JSON text.
        key: a private key, or a public one whose private key an agent holds.

    Raises:
        ExportError: if there is no ssh-keygen, no such key, or it does not sign.
    """
    if not key.exists():
        raise ExportError(
            "there is no such key", where=f"--sign {key}", remedy="make one: ssh-keygen -t ed25519"
        )
    command = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)]
    try:
        ran = subprocess.run(command, input=encoding(statement), capture_output=True, check=False)
    except OSError as error:
        remedy = "install OpenSSH, or sign the statement with another tool: leave --sign out"
        raise ExportError(
            f"ssh-keygen cannot be run: {error.strerror}", where="--sign", remedy=remedy
        ) from None
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().splitlines()
        raise ExportError(
            "ssh-keygen does not sign with it:",
            where=f"--sign {key}",
            remedy="see that the key is yours and the agent runs: ssh-add -l",
            said=tuple(f"  {line}" for line in said[:3]),
        )
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(statement.encode()).decode(),
        "signatures": [{"sig": base64.b64encode(ran.stdout).decode()}],
    }


def encoding(statement: str) -> bytes:
    """What is signed: the pre-authentication encoding, which binds the type to the content."""
    content = statement.encode()
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(content), content)
