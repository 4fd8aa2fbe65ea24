"""Pack the files of a project, which lie beside the package, into the wheel; see pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "stages"))

from trackbed.creation import project_files  # noqa: E402


class WithProjectFiles(build_py):
    """Copies the files that `trackbed new` writes into the package."""

    def run(self) -> None:
        """Copy the package, then these files."""
        super().run()
        for source, target in self._pairs():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def _pairs(self) -> list[tuple[str, str]]:
        if self.editable_mode:
            return []
        packed = Path(self.build_lib, "trackbed", project_files.PACKED)
        return [(name, str(packed / name)) for name in project_files.listed(ROOT)]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """All files that `run` writes."""
        return [*super().get_outputs(include_bytecode), *(target for _, target in self._pairs())]

    def get_source_files(self) -> list[str]:
        """All files that a source distribution needs."""
        return [*super().get_source_files(), *(source for source, _ in self._pairs())]


setup(cmdclass={"build_py": WithProjectFiles})
