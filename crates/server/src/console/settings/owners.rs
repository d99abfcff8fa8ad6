//! Local owners.

use super::{again, question, settings, text};
use crate::admin;
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::settings::{Block, Content, Row, Settings, Table};
use portreeve_console::parts::{Field, Shown};
use portreeve_directory::Permission;

fn here() -> Address {
    Address::new("/console/settings/owners")
}

/// The local owners.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Settings, Trouble> {
    let all = admin::owners(&visit.app, &visit.admin, None).await?;
    let may = visit.may(Permission::OwnerWrite);
    let rows = all.iter().map(|owner| {
        let remove = question(
            format!("remove-{}", owner.id),
            "Remove…",
            format!("Remove the local owner {}?", owner.name),
            "Their sessions end at once, and their passkeys are gone.",
            here().join(&owner.id).join("remove"),
        );
        Row {
            cells: vec![
                text(owner.name.clone()),
                Shown::Time(time(owner.created_at)),
            ],
            actions: may.then_some(remove).into_iter().collect(),
        }
    });
    let mut add = question(
        "add".to_owned(),
        "New local owner…",
        "A local owner".to_owned(),
        "They come in with a link that is made on the machine of the server, and can add a passkey then.",
        here(),
    );
    add.label = "Make the owner".to_owned();
    add.danger = false;
    add.fields = vec![
        Field::line("owner", "name", "Name", "")
            .example("Ada")
            .required(),
    ];
    let block = Block {
        id: "owners",
        title: "Local owners",
        lead: "They belong to no directory: the way in on the first day, and on the day on which no provider answers. On the machine of the server, portreeve owner link NAME makes a link that signs one in, once.".to_owned(),
        actions: may.then_some(add).into_iter().collect(),
        content: Content::Table(Table {
            head: vec!["Name", "Made"],
            rows: rows.collect(),
            empty: "There is none.",
        }),
        live: "Owner",
    };
    Ok(settings(visit, "Local owners", vec![block]))
}

/// Makes one.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let name = form.text("name").to_owned();
        match admin::create_owner(&visit.app, &visit.admin, None, name).await {
            Ok(owner) => Ok(visit.done(&here(), &format!("{} is a local owner now.", owner.name))),
            Err(refusal) => again(&visit, refusal, make(&visit)).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Removes one, unless it is the last owner.
pub(in crate::console) async fn remove(visit: Visit) -> Response {
    let done = async {
        match admin::remove_owner(&visit.app, &visit.admin, None, visit.param("owner")).await {
            Ok(()) => Ok(visit.done(&here(), "The local owner is removed.")),
            Err(refusal) => again(&visit, refusal, make(&visit)).await,
        }
    };
    visit.or_trouble(done.await)
}
