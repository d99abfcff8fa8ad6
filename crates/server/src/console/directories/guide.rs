//! What to do at each provider: the steps, and what is to be mapped to what.

use portreeve_console::Address;
use portreeve_console::pages::directories::{Mapping, MappingRow};
use portreeve_console::parts::{Copyable, Step, StepState, Steps};
use portreeve_directory::directories::Provider;

/// How far the connection of a directory has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// It has a token, and nothing came yet.
    Made,
    /// The provider was heard of.
    Heard,
    /// There are people.
    Arrived,
}

/// The steps of the provider's own console, in the order in which one goes through them. The last two are done when the
/// provider was heard of, and when people have arrived; the others are done by then.
pub(super) fn steps(provider: Provider, progress: Progress, here: &Address) -> Steps {
    let texts = texts(provider);
    let last = texts.len().saturating_sub(1);
    let steps = texts.iter().enumerate().map(|(index, (label, detail))| {
        let done = match progress {
            Progress::Made => index == 0,
            Progress::Heard => index < last,
            Progress::Arrived => true,
        };
        let current = match progress {
            Progress::Made => index == 1,
            Progress::Heard => index == last,
            Progress::Arrived => false,
        };
        Step {
            label: (*label).to_owned(),
            detail: (*detail).to_owned(),
            state: match (done, current) {
                (true, _) => StepState::Done,
                (false, true) => StepState::Current,
                (false, false) => StepState::Ahead,
            },
            href: place(label, here),
        }
    });
    Steps {
        label: "How it is connected".to_owned(),
        steps: steps.collect(),
    }
}

/// Where here a step is done or looked up.
fn place(label: &str, here: &Address) -> Option<Address> {
    Some(match label {
        "Paste tenant URL and secret token" => here.clone().join("tokens"),
        "Test the connection" => here.clone().at("test"),
        "Check the mappings" => here.clone().at("mapping"),
        "Watch people arrive" => here.clone().join("requests"),
        _ => return None,
    })
}

fn texts(provider: Provider) -> &'static [(&'static str, &'static str)] {
    match provider {
        Provider::Entra => ENTRA,
        Provider::Okta => OKTA,
        Provider::Google => GOOGLE,
        Provider::Generic | Provider::Native => OTHERS,
    }
}

const ENTRA: &[(&str, &str)] = &[
    (
        "Make the directory",
        "Done: tenant URL and secret token are made.",
    ),
    (
        "Make the application",
        "Entra admin center → Enterprise applications → New application → Create your own application → “Integrate any other application you don't find in the gallery”. Its name is yours to choose.",
    ),
    (
        "Assign people and groups",
        "Users and groups → Add user/group. Begin with one or two people. Entra looks at the direct members of an assigned group only.",
    ),
    (
        "Set provisioning to automatic",
        "Provisioning → Get started → Provisioning mode: Automatic.",
    ),
    (
        "Paste tenant URL and secret token",
        "Under Admin credentials. The secret token was shown when it was made; a new one is made under Secret tokens.",
    ),
    (
        "Test the connection",
        "Test connection there, then Save; without saving, the mappings cannot be edited.",
    ),
    (
        "Check the mappings",
        "Mappings → Provision Microsoft Entra ID Users. The defaults work but for one: map objectId to externalId. Keep the mapping of active: it is what deactivates people.",
    ),
    (
        "Watch people arrive",
        "Settings → Scope, then Provisioning status: On. The first cycle begins within minutes; later ones come every 40 minutes. Requests appear here as they come.",
    ),
];

const OKTA: &[(&str, &str)] = &[
    (
        "Make the directory",
        "Done: tenant URL and secret token are made.",
    ),
    (
        "Make the application",
        "Applications → Browse App Catalog → “SCIM 2.0 Test App (OAuth Bearer Token)”, or open the one that you have.",
    ),
    (
        "Assign people and groups",
        "Assignments → Assign. Begin with one or two people.",
    ),
    (
        "Turn the integration on",
        "Provisioning → Configure API Integration → Enable API integration.",
    ),
    (
        "Paste tenant URL and secret token",
        "The tenant URL is the SCIM 2.0 Base Url, the secret token the OAuth Bearer Token (with header authentication: Bearer, a blank and the token).",
    ),
    (
        "Test the connection",
        "Test API Credentials there, then Save.",
    ),
    (
        "Check the mappings",
        "Provisioning → To App: Create Users, Update User Attributes, Deactivate Users. The attribute mappings below it may stay as they are.",
    ),
    (
        "Watch people arrive",
        "Push Groups for the groups. Requests appear here as they come.",
    ),
];

const GOOGLE: &[(&str, &str)] = &[
    (
        "Make the directory",
        "Done: tenant URL and secret token are made.",
    ),
    (
        "Make the application",
        "Google Admin console → Apps → Web and mobile apps → an application with automatic provisioning whose endpoint can be set.",
    ),
    (
        "Assign people and groups",
        "User access: turn it on for the organisational units or groups that are meant.",
    ),
    (
        "Set up automatic provisioning",
        "Autoprovisioning → Configure autoprovisioning.",
    ),
    (
        "Paste tenant URL and secret token",
        "The tenant URL is the endpoint, the secret token the access token.",
    ),
    (
        "Test the connection",
        "Here, below: Google has no test of its own.",
    ),
    ("Check the mappings", "Keep userName, e-mail and names."),
    (
        "Watch people arrive",
        "Turn autoprovisioning on. Requests appear here as they come.",
    ),
];

const OTHERS: &[(&str, &str)] = &[
    (
        "Make the directory",
        "Done: tenant URL and secret token are made.",
    ),
    (
        "Make the application",
        "In your provider, a client of SCIM 2.0 (also called provisioning, or outbound SCIM).",
    ),
    ("Assign people and groups", "Begin with one or two people."),
    (
        "Choose the authentication",
        "A bearer token; where there is only basic authentication, any user name and the token as the password.",
    ),
    (
        "Paste tenant URL and secret token",
        "Some call them base URL and API token.",
    ),
    ("Test the connection", "There, or here below."),
    (
        "Check the mappings",
        "userName, active, externalId, names and e-mail are what others rely on.",
    ),
    (
        "Watch people arrive",
        "Start provisioning there. Requests appear here as they come.",
    ),
];

/// What is to be mapped to what.
pub(super) fn mappings(provider: Provider) -> Vec<Mapping> {
    if provider != Provider::Entra {
        return Vec::new();
    }
    let rows = |rows: &[(&'static str, &'static str, &'static str)]| {
        rows.iter()
            .map(|(from, to, note)| MappingRow {
                from: Copyable::new("source attribute", *from),
                to: Copyable::new("target attribute", *to),
                note,
            })
            .collect()
    };
    vec![
        Mapping {
            title: "users",
            rows: rows(ENTRA_USERS),
        },
        Mapping {
            title: "groups",
            rows: rows(ENTRA_GROUPS),
        },
    ]
}

const ENTRA_USERS: &[(&str, &str, &str)] = &[
    (
        "userPrincipalName",
        "userName",
        "Matching attribute, precedence 1",
    ),
    (
        "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
        "active",
        "Keep it: without it nobody is ever deactivated",
    ),
    (
        "objectId",
        "externalId",
        "Change it from mailNickname, which is neither unique nor kept for ever",
    ),
    ("displayName", "displayName", ""),
    ("givenName", "name.givenName", ""),
    ("surname", "name.familyName", ""),
    (
        "mail",
        "emails[type eq \"work\"].value",
        "May be empty for people without a mailbox",
    ),
    ("jobTitle", "title", ""),
    (
        "telephoneNumber",
        "phoneNumbers[type eq \"work\"].value",
        "",
    ),
    ("mobile", "phoneNumbers[type eq \"mobile\"].value", ""),
    (
        "employeeId",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        "",
    ),
    (
        "department",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "",
    ),
    (
        "manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "",
    ),
];

const ENTRA_GROUPS: &[(&str, &str, &str)] = &[
    (
        "displayName",
        "displayName",
        "Matching attribute, precedence 1",
    ),
    ("objectId", "externalId", ""),
    ("members", "members", ""),
];
