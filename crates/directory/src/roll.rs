//! The database of the roll: its migrations and every statement on it.

use portreeve_store::Migration;

/// All migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "roll",
        sql: include_str!("../../../migrations/0001_roll.sql"),
    },
    Migration {
        version: 2,
        name: "leases",
        sql: include_str!("../../../migrations/0002_leases.sql"),
    },
    Migration {
        version: 3,
        name: "installation",
        sql: include_str!("../../../migrations/0003_installation.sql"),
    },
    Migration {
        version: 4,
        name: "applications",
        sql: include_str!("../../../migrations/0004_applications.sql"),
    },
    Migration {
        version: 5,
        name: "mails",
        sql: include_str!("../../../migrations/0005_mails.sql"),
    },
    Migration {
        version: 6,
        name: "sign_in",
        sql: include_str!("../../../migrations/0006_sign_in.sql"),
    },
    Migration {
        version: 7,
        name: "access",
        sql: include_str!("../../../migrations/0007_access.sql"),
    },
    Migration {
        version: 8,
        name: "host_policies",
        sql: include_str!("../../../migrations/0008_host_policies.sql"),
    },
    Migration {
        version: 9,
        name: "visitors",
        sql: include_str!("../../../migrations/0009_visitors.sql"),
    },
    Migration {
        version: 10,
        name: "host_policies_of_agents",
        sql: include_str!("../../../migrations/0010_host_policies_of_agents.sql"),
    },
    Migration {
        version: 11,
        name: "visits",
        sql: include_str!("../../../migrations/0011_visits.sql"),
    },
];

/// Every fixed statement of this crate as (name, text), so that one test prepares them all on each database.
#[expect(clippy::too_many_lines, reason = "it is a list")]
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        crate::teams::ALL,
        crate::directories::ALL,
        crate::tokens::ALL,
        crate::users::ALL,
        crate::groups::ALL,
        crate::members::ALL,
        crate::events::ALL,
        crate::unknown::ALL,
        crate::streams::ALL,
        crate::outcomes::ALL,
        crate::leases::ALL,
        crate::installation::ALL,
        crate::mails::ALL,
        crate::event_counts::ALL,
        crate::saved_views::ALL,
        crate::holders::ALL,
        crate::levels::ALL,
        crate::local_members::ALL,
        crate::memberships::ALL,
        crate::search::ALL,
        crate::suspensions::ALL,
        crate::owners::ALL,
        crate::service_accounts::ALL,
        crate::api_tokens::ALL,
        crate::sessions::ALL,
        crate::sign_ins::ALL,
        crate::passkeys::ALL,
        crate::connections::ALL,
        crate::idempotency::ALL,
        crate::authorities::ALL,
        crate::ca_policies::ALL,
        crate::certificates::ALL,
        crate::revocations::ALL,
        crate::used_tokens::ALL,
        crate::provisioners::ALL,
        crate::step_settings::ALL,
        crate::visitor_hosts::ALL,
        crate::visit_locations::ALL,
        crate::visit_devices::ALL,
        crate::visits::ALL,
        crate::visit_notices::ALL,
        crate::webhooks::ALL,
        crate::enrolments::ALL,
        crate::host_agents::ALL,
        crate::host_denials::ALL,
        crate::host_sessions::ALL,
        crate::identities::ALL,
        crate::access::ALL,
        crate::accounts::ALL,
        crate::accounts::follow::ALL,
        crate::accounts::numbers::ALL,
        crate::accounts::population::ALL,
        crate::grants::ALL,
        crate::hosts::ALL,
        crate::host_accounts::ALL,
        crate::host_policies::ALL,
        crate::host_policies::asking::ALL,
        crate::host_policies::follow::ALL,
        crate::host_policies::plan::ALL,
        crate::host_policies::queue::ALL,
        crate::host_policies::rules::ALL,
        crate::host_policies::settle::ALL,
        crate::remote_identities::ALL,
        crate::resolve::ALL,
        crate::applications::ALL,
        crate::applications::cycles::ALL,
        crate::applications::escrows::ALL,
        crate::applications::links::ALL,
        crate::applications::records::ALL,
        crate::applications::references::ALL,
        crate::applications::secrets::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}
