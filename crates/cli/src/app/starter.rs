//! Definition files to begin with: what must be filled in stands there with an example, the rest as a remark.

use clap::ValueEnum;
use portreeve_provisioning::application::Template;
use portreeve_provisioning::target::private_host;

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Source {
    /// Tables of comma-separated values
    Csv,
    /// JSON lines
    Jsonl,
    /// An LDAP directory, Active Directory among them
    Ldap,
    /// Microsoft Entra ID, through Microsoft Graph
    Graph,
    /// A directory of the Portreeve server
    Directory,
}

impl Source {
    fn settings(self) -> &'static str {
        match self {
            Self::Csv => CSV,
            Self::Jsonl => JSONL,
            Self::Ldap => LDAP,
            Self::Graph => GRAPH,
            Self::Directory => DIRECTORY,
        }
    }
}

/// Where the mappings of a new definition come from.
pub(super) enum Mappings<'a> {
    Template(Template),
    /// Mappings in TOML, as a definition has them.
    Here(&'a str),
}

/// The text of a definition. `tenant_url` is the target's, where it is known; one on this machine or in a private network
/// is allowed, because it was asked for.
pub(super) fn text(
    name: &str,
    source: Source,
    mappings: &Mappings<'_>,
    tenant_url: Option<&str>,
) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let (template, here) = match mappings {
        Mappings::Template(template) => (format!("template = \"{template}\"\n"), String::new()),
        Mappings::Here(mappings) => (String::new(), format!("\n{mappings}")),
    };
    let url = quoted(tenant_url.unwrap_or("https://app.example/scim/v2"));
    let remark = match tenant_url.and_then(private_host) {
        Some(_) => "",
        None => "# ",
    };
    let head = format!("name = {}\n{template}", quoted(name));
    format!(
        "{head}{RULES}{}{TARGET_HEAD}url = {url}\n{TARGET}{remark}{ALLOW}{here}",
        source.settings()
    )
}

const RULES: &str = r#"
# Cycles begin this long after each other.
interval = "5m"
# Who is told by mail when something is wrong.
# notify = ["it@contoso.com"]
# No more than this many people and groups lose their access in one cycle.
accidental_deletions = { threshold = 500 }
"#;

const CSV: &str = r#"
# Paths begin in the folder of this file. The first row of a table names its columns; the columns are the attributes.
[source]
type = "csv"
users = "people.csv"
# groups = "groups.csv"
# memberships = "memberships.csv"
# The column that identifies a row for good.
key = "objectId"
"#;

const JSONL: &str = r#"
# Paths begin in the folder of this file. Each line is an object with the attributes of one person or group.
[source]
type = "jsonl"
users = "people.jsonl"
# groups = "groups.jsonl"
# The attribute that identifies an object for good.
key = "objectId"
"#;

const LDAP: &str = r#"
[source]
type = "ldap"
url = "ldaps://ldap.contoso.com"
bind_dn = "cn=portreeve,ou=services,dc=contoso,dc=com"
password = { env = "LDAP_PASSWORD" }
base = "dc=contoso,dc=com"
"#;

const GRAPH: &str = r#"
# An app registration with the application permissions User.Read.All, Group.Read.All and Application.Read.All, each with
# admin consent.
[source]
type = "graph"
tenant = "contoso.onmicrosoft.com"
client_id = "00000000-0000-0000-0000-000000000000"
client_secret = { env = "GRAPH_SECRET" }
# The object id of the enterprise application to which people and groups are assigned. For everybody, set scope = "all".
service_principal = "00000000-0000-0000-0000-000000000000"
"#;

const DIRECTORY: &str = r#"
# A directory of the server in which this application is made; it cannot be read from a file alone.
[source]
type = "directory"
directory = "Contoso"
"#;

const TARGET_HEAD: &str = r#"
# The tenant URL and the secret token that the application shows. With ?aadOptscim062020 at its end changes are sent as
# RFC 7644 has them; without, as Microsoft Entra ID has always sent them.
[target]
"#;

const TARGET: &str = r#"authentication = { type = "bearer", token = { env = "APP_TOKEN" } }
# Targets on this machine or in a private network are refused otherwise.
"#;

const ALLOW: &str = "allow_private_addresses = true\n";

#[cfg(test)]
mod tests {
    use super::*;
    use portreeve_provisioning::application::Definition;
    use std::path::Path;

    #[test]
    fn what_is_written_to_begin_with_is_a_definition() {
        for source in Source::value_variants() {
            for template in Template::ALL {
                let text = text("A \"B\"", *source, &Mappings::Template(template), None);
                let definition = Definition::from_toml(&text).unwrap();
                let application = definition.compile("local", Path::new("")).unwrap();
                assert_eq!(application.name, "A \"B\"");
            }
        }
    }

    #[test]
    fn mappings_may_stand_in_the_definition() {
        let mappings = "[[mappings]]\nsource = \"User\"\ntarget = \"User\"\n[[mappings.attributeMappings]]\n\
                        target = \"userName\"\nattribute = \"mail\"\nmatchingPriority = 1\n";
        let url = "https://app.contoso.com/scim";
        let text = text("A", Source::Csv, &Mappings::Here(mappings), Some(url));
        let definition = Definition::from_toml(&text).unwrap();
        assert_eq!(definition.target.url, url);
        let application = definition.compile("local", Path::new("")).unwrap();
        assert!(application.users.is_some() && application.groups.is_none());
    }
}
