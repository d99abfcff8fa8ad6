//! The accounts that the people of a directory have on hosts, and how their names are made.

use super::{detail, head};
use crate::admin::accounts::{self, AccountView, DotsName, NamesPreview, PartName, PosixNames};
use crate::admin::directories::{self, DirectoryChange, DirectoryDetail};
use crate::console::form::Form;
use crate::console::people::{PAGE, user_page};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Section;
use portreeve_console::pages::directories::{Account, Accounts, Forecast};
use portreeve_console::parts::{Alert, Badge, Choice, Field, Form as Input, Link, Pager, Tone};
use portreeve_directory::Permission;

const PARTS: [(PartName, &str, &str, &str); 2] = [
    (
        PartName::Local,
        "local",
        "What stands before the @",
        "ada@contoso.com is ada",
    ),
    (
        PartName::Whole,
        "whole",
        "All of it",
        "Where user names have no @",
    ),
];

const DOTS: [(DotsName, &str, &str, &str); 4] = [
    (
        DotsName::Drop,
        "drop",
        "Leave them out",
        "ada.lovelace is adalovelace",
    ),
    (
        DotsName::Underscore,
        "underscore",
        "An underscore",
        "ada_lovelace",
    ),
    (DotsName::Hyphen, "hyphen", "A hyphen", "ada-lovelace"),
    (
        DotsName::Refuse,
        "refuse",
        "Nobody with a dot has an account",
        "It is reported",
    ),
];

/// The accounts.
pub(in crate::console) async fn accounts(visit: Visit) -> Response {
    let shown = async {
        let detail = detail(&visit).await?;
        let draft = written(&Form::of(visit.pairs.clone()));
        make(&visit, &detail, draft, None).await
    };
    visit.answer(shown.await)
}

/// Changes how names are made.
pub(in crate::console) async fn save_accounts(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let detail = detail(&visit).await?;
        let names = written(&form);
        let wanted = DirectoryChange {
            posix_names: names,
            ..DirectoryChange::default()
        };
        let id = &detail.directory.id;
        match directories::update(&visit.app, &visit.admin, id, wanted).await {
            Ok(_) => {
                let here = Section::Directories.address().join(id).join("accounts");
                Ok(visit.done(&here, "Account names are made in this way from now on."))
            }
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&make(&visit, &detail, names, Some(problem)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// The rule that a form says; nothing where it says none.
fn written(form: &Form) -> Option<PosixNames> {
    let part = PARTS.iter().find(|one| one.1 == form.text("part"))?.0;
    let dots = DOTS.iter().find(|one| one.1 == form.text("dots"))?.0;
    Some(PosixNames { part, dots })
}

async fn make(
    visit: &Visit,
    detail: &DirectoryDetail,
    draft: Option<PosixNames>,
    problem: Option<Alert>,
) -> Result<Accounts, Trouble> {
    let id = &detail.directory.id;
    let after = visit.query("after");
    let limit = u64::try_from(PAGE).unwrap_or(50);
    let (app, admin) = (&visit.app, &visit.admin);
    let mut found = accounts::list(app, admin, id, (after, limit + 1)).await?;
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let here = Section::Directories.address().join(id).join("accounts");
    let next = found.last().filter(|_| has_more);
    let next = next.map(|last| here.clone().with("after", last.user_id.clone()));
    let stored = detail.directory.posix_names;
    let forecast = match draft.filter(|draft| *draft != stored) {
        Some(draft) => {
            let found = accounts::preview(app, admin, id, Some(draft)).await?;
            Some(forecast(id, found))
        }
        None => None,
    };
    Ok(Accounts {
        shell: visit.shell(),
        head: head(visit, detail),
        problem,
        fields: fields(draft.unwrap_or(stored)),
        may_change: visit.may(Permission::DirectoryWrite),
        forecast,
        pager: Pager {
            total: None,
            shown: found.len(),
            noun: ("person", "people"),
            previous: (!after.is_empty()).then_some(here),
            next,
        },
        rows: found.iter().map(|one| row(id, one)).collect(),
    })
}

fn fields(rule: PosixNames) -> Vec<Field> {
    let parts = PARTS.iter().map(|(part, value, label, help)| {
        Choice::new(*value, *label, *part == rule.part).help(*help)
    });
    let dots = DOTS.iter().map(|(dots, value, label, help)| {
        Choice::new(*value, *label, *dots == rule.dots).help(*help)
    });
    vec![
        Field::new(
            "names",
            "part",
            "Part of the user name",
            Input::One(parts.collect()),
        ),
        Field::new(
            "names",
            "dots",
            "Dots, which account names cannot have",
            Input::One(dots.collect()),
        ),
    ]
}

fn row(directory: &str, one: &AccountView) -> Account {
    let problems = one.problems.iter();
    let problems: Vec<String> = problems.map(|problem| problem.detail.clone()).collect();
    Account {
        who: Link::new(one.user_name.clone(), user_page(directory, &one.user_id)),
        name: one.name.clone().unwrap_or_default(),
        numbers: match (one.uid, one.gid) {
            (Some(uid), Some(gid)) if uid == gid => uid.to_string(),
            (Some(uid), Some(gid)) => format!("{uid}, group {gid}"),
            _ => String::new(),
        },
        state: match (&one.name, one.problems.is_empty(), one.uid) {
            (None, _, _) => Badge::new(Tone::Bad, "No account"),
            (_, false, _) => Badge::new(Tone::Warn, "Needs a look"),
            (_, true, None) => Badge::new(Tone::Neutral, "When needed"),
            (_, true, Some(_)) => Badge::new(Tone::Good, "Given"),
        },
        problem: problems.join("; "),
    }
}

/// What a rule would come to.
fn forecast(directory: &str, found: NamesPreview) -> Forecast {
    let without = found.people - found.named;
    let mut summary = vec![Alert::new(
        if without == 0 { Tone::Good } else { Tone::Warn },
        format!(
            "{} of {} people would have an account",
            found.named, found.people
        ),
        "",
    )];
    if found.renamed > 0 {
        summary.push(Alert::new(
            Tone::Warn,
            format!("{} would be called otherwise than now", found.renamed),
            "Their files on hosts stay theirs, because the number stays; what names them by name has to follow.",
        ));
    }
    Forecast {
        summary,
        renames: found
            .renames
            .into_iter()
            .map(|one| (one.user_name, one.old, one.new.unwrap_or_default()))
            .collect(),
        without: found
            .problems
            .into_iter()
            .map(|one| {
                let who = Link::new(one.user_name, user_page(directory, &one.user_id));
                (who, one.problem.detail)
            })
            .collect(),
    }
}
