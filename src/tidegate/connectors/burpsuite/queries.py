"""The questions put to Burp, each with a name of its own: Burp refuses a query without one (NOTES.md)."""

PATH = "graphql/v1"

ACCOUNT = """
query TidegateAccount {
  site_tree { folders { id } }
  scans(offset: 0, limit: 1) { id issues(start: 0, count: 1) { fingerprint } }
}
"""
"""Proves the login, the right to see sites and scans, and that the server knows fingerprints, before the first Sync."""

NO_FINGERPRINTS = (
    "This Burp server gives its issues no fingerprint, so they cannot be recognised from one scan to the next.",
    "Update Burp Suite DAST; older servers are not supported.",
)

FOLDERS = """
query TidegateFolders {
  site_tree { folders { id parent_id name } }
}
"""

SITES = """
query TidegateSites {
  site_tree { sites { id parent_id name ephemeral scope_v2 { start_urls } } }
}
"""

LATEST_SCAN = """
query TidegateLatestScan($site: ID!) {
  scans(site_id: $site, scan_status: [succeeded], sort_column: end, sort_order: desc, offset: 0, limit: 1) {
    id
    status
    end_time
  }
}
"""

ISSUES = """
query TidegateIssues($scan: ID!, $start: Int!, $count: Int!) {
  scan(id: $scan) {
    issue_counts { total }
    issues(start: $start, count: $count) {
      fingerprint
      severity
      confidence
      accepted_risk
      origin
      path
      description_html
      remediation_html
      issue_type {
        type_index
        name
        description_html
        remediation_html
        references_html
        vulnerability_classifications_html
      }
      change_history {
        timestamp
        username
        note
        issue_change {
          ... on FalsePositiveIssueChange { false_positive }
          ... on AcceptedRiskIssueChange { accepted_risk }
        }
      }
      evidence {
        ... on Request { request_segments { ...Segment } }
        ... on Response { response_segments { ...Segment } }
        ... on HttpInteraction {
          title
          description_html
          request { ...Segment }
          response { ...Segment }
        }
        ... on DescriptiveEvidence { title description_html }
      }
    }
  }
}

fragment Segment on RequestResponseSegment {
  ... on DataSegment { data_html }
  ... on HighlightSegment { highlight_html }
  ... on SnipSegment { snip_length }
}
"""
