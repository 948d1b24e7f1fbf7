"""The Location URL: what people paste from their browser, made into the address where SonarQube's paths begin."""

from urllib.parse import urlsplit

from tidegate_sdk import Location

SCREENS = frozenset({
    "account", "admin", "api", "background_tasks", "code", "coding_rules", "component_measures", "dashboard",
    "dependencies", "dependency-risks", "documentation", "explore", "issues", "login", "organizations", "portfolio",
    "portfolios", "profiles", "project", "projects", "quality_gates", "security_hotspots", "sessions", "summary",
    "web_api", "web_api_v2",
})  # fmt: skip
"""First words of the paths of SonarQube's own screens and APIs; before them stands the server's context path."""
CLOUD = {"sonarcloud.io": "sonarcloud.io", "www.sonarcloud.io": "sonarcloud.io", "sonarqube.us": "sonarqube.us"}
"""The hosts of SonarQube Cloud (EU and US region), where a project is found only by its organization."""
location = Location("https://sonar.example.org", secret="token", screens=SCREENS, hosts=CLOUD)  # noqa: S106 - its name


def is_cloud(url: str) -> bool:
    """Whether it is SonarQube Cloud, which is asked by organization."""
    return urlsplit(url).hostname in CLOUD
