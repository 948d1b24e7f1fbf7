"""Report folder and report bucket: the reports that any tool drops into a directory of this machine, or into S3."""

from .bucket import ReportBucket, ReportBucketSettings
from .connector import ReportFolder, ReportFolderSettings

__all__ = ["ReportBucket", "ReportBucketSettings", "ReportFolder", "ReportFolderSettings"]
