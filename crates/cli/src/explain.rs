//! `portreeve explain`.

use crate::Global;
use crate::client::Api;
use crate::failure::{Code, Failure};
use crate::live;
use crate::output::{self, Format, harmless, plain};
use crate::scope::OfTeam;
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 when the user may log in there, 5 when not, 6 when there is no such user or host"
)]
pub(crate) struct Args {
    /// User or service account, by name or id
    #[arg(add = live::users())]
    user: String,
    /// Host, by name or id
    #[arg(add = live::hosts())]
    host: String,
    #[command(flatten)]
    team: OfTeam,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let mut query = args.team.query();
    query.extend([("user", args.user.as_str()), ("host", args.host.as_str())]);
    let found = api.get(&["explain"], &query).await.map_err(|failure| {
        failure.hint_if_missing(
            "portreeve user list shows the people there are, portreeve host list the hosts",
        )
    })?;
    print(global.output, &found)?;
    for (title, member) in SAID_BESIDE {
        let text = harmless(&plain(&found[member]));
        if !text.is_empty() {
            output::say(global.output, &format!("{title}: {text}"));
        }
    }
    match found["allowed"] == true {
        true => Ok(()),
        // The last of the reasons says it.
        false => Err(Failure::new(Code::Forbidden, "")),
    }
}

fn print(format: Format, found: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => output::json_line(found),
        Format::Yaml => output::yaml_document(found),
        Format::Name => output::print(&format!("{}\n", names(found).join("\n"))),
        Format::Csv | Format::Table => output::list(format, &REASONS, &reasons(found)),
    }
}

/// What people want to know of a decision beside its reasons.
const SAID_BESIDE: [(&str, &str); 2] = [
    ("Names on the certificate", "principals"),
    ("Groups on the host", "posix_groups"),
];

const REASONS: output::Shape = output::Shape {
    columns: &[
        output::Column::text("STEP", "step"),
        output::Column::text("VERDICT", "verdict"),
        output::Column::text("WHY", "why"),
    ],
    name: "step",
};

fn reasons(found: &Value) -> Vec<Value> {
    found["reasons"].as_array().cloned().unwrap_or_default()
}

/// The principals: what other commands take.
fn names(found: &Value) -> Vec<String> {
    let principals = found["principals"].as_array().into_iter().flatten();
    principals.map(|one| harmless(&plain(one))).collect()
}
