"""Report folder: the reports that any tool drops into a directory of this machine."""

from .connector import ReportFolder, ReportFolderSettings

__all__ = ["ReportFolder", "ReportFolderSettings"]
