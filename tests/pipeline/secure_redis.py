"""A Redis as a cluster has it: TLS only, users in a file, and one that may all."""

import hashlib
from pathlib import Path

from tests.doubles.certificates import certified
from tests.pipeline.redis_server import RedisServer


class SecureRedis(RedisServer):
    """Serves on a free port of 127.0.0.1 as long as the ``with`` lasts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"rediss://127.0.0.1:{self.port}/0"
        self.certificate = folder / "redis.pem"
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate.write_bytes(certified("127.0.0.1"))
        digest = hashlib.sha256(self.password.encode()).hexdigest()
        (folder / "users.acl").write_text(
            f"user default off\nuser matinee on #{digest} ~* &* +@all\n"
        )

    def known_in(self, keys: Path) -> None:
        """Let an installation know how it is reached."""
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = keys / "queue.toml"
        file.touch(0o600)
        file.write_text(
            f'[redis]\nusername = "matinee"\npassword = "{self.password}"\n'
        )
        (keys / "queue-ca.pem").write_bytes(self.certificate.read_bytes())

    def configuration(self) -> str:
        return (
            f"bind 127.0.0.1\nport 0\ntls-port {self.port}\nsave ''\n"
            f"tls-cert-file {self.certificate}\ntls-key-file {self.certificate}\n"
            f"tls-ca-cert-file {self.certificate}\ntls-auth-clients no\n"
            f"aclfile {self.folder}/users.acl\nmaxmemory-policy noeviction\n"
        )
