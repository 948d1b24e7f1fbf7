"""The Location URL: what people paste from their browser, made into the address where Burp's paths begin."""

from tidegate_sdk import Location

SCREENS = frozenset({
    "agents", "api", "api-internal", "dashboard", "extensions", "folders", "graphql", "home", "issues", "login",
    "scans", "schedule", "settings", "sites", "team",
})  # fmt: skip
"""First words of the paths of Burp's own screens and APIs; what stands before them is where a proxy put Burp."""
location = Location("https://burp.example.org:8443", secret="API key", screens=SCREENS)  # noqa: S106 - its name
