//! Service accounts.

use super::{again, badge, chosen_permissions, permissions_field, question, settings, text};
use crate::admin::service_accounts::{
    self, AccountStatus, NewServiceAccount, ServiceAccountChange, ServiceAccountView,
};
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::settings::{Block, Content, Row, Settings, Table};
use portreeve_console::parts::{Field, Shown, Tone};
use portreeve_directory::Permission;

fn here() -> Address {
    Address::new("/console/settings/service-accounts")
}

/// The service accounts of the team.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Settings, Trouble> {
    let all = service_accounts::list(&visit.app, &visit.admin, None).await?;
    let may = visit.may(Permission::ServiceAccountWrite);
    let mut new = question(
        "new".to_owned(),
        "New service account…",
        "A service account".to_owned(),
        "A machine identity that no provider manages. It does not sign in; it has API tokens.",
        here(),
    );
    new.label = "Make the account".to_owned();
    new.danger = false;
    new.fields = vec![
        Field::line("account", "name", "Name", "")
            .example("backup")
            .required(),
        permissions_field(visit, "account"),
    ];
    let block = Block {
        id: "accounts",
        title: "Service accounts",
        lead: "Machine identities of the team. Their tokens are made under API tokens.".to_owned(),
        actions: may.then_some(new).into_iter().collect(),
        content: Content::Table(Table {
            head: vec!["Name", "State", "May at most", "Made"],
            rows: all.iter().map(|account| row(account, may)).collect(),
            empty: "There is none.",
        }),
        live: "ServiceAccount",
    };
    Ok(settings(visit, "Service accounts", vec![block]))
}

fn row(account: &ServiceAccountView, may: bool) -> Row {
    let is_active = account.status == AccountStatus::Active;
    let (opener, effect) = match is_active {
        true => (
            "Suspend…",
            "Its tokens do not work from the next request on.",
        ),
        false => ("Reinstate…", "Its tokens work again."),
    };
    let page = here().join(&account.id);
    let mut suspend = question(
        format!("suspend-{}", account.id),
        opener,
        format!("{} {}?", opener.trim_end_matches('…'), account.name),
        effect,
        page.clone().join("status"),
    );
    suspend.values = vec![(
        "status",
        if is_active { "suspended" } else { "active" }.to_owned(),
    )];
    suspend.danger = is_active;
    let remove = question(
        format!("remove-{}", account.id),
        "Delete…",
        format!("Delete {}?", account.name),
        "Its tokens go with it. What it did stays in the log.",
        page.join("remove"),
    );
    let permissions: Vec<_> = account.permissions.iter().map(|one| one.name()).collect();
    Row {
        cells: vec![
            text(account.name.clone()),
            match is_active {
                true => badge(Tone::Good, "Active"),
                false => badge(Tone::Bad, "Suspended"),
            },
            text(permissions.join(", ")),
            Shown::Time(time(account.created_at.0)),
        ],
        actions: if may {
            vec![suspend, remove]
        } else {
            Vec::new()
        },
    }
}

/// Makes one.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = NewServiceAccount {
            name: form.text("name").to_owned(),
            permissions: chosen_permissions(&form),
            team: None,
        };
        match service_accounts::create(&visit.app, &visit.admin, wanted).await {
            Ok(account) => Ok(visit.done(
                &here(),
                &format!("{} is made. Now make a token for it.", account.name),
            )),
            Err(refusal) => again(&visit, refusal, make(&visit)).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Suspends one, or takes that back.
pub(in crate::console) async fn suspend(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let status = match form.text("status") {
            "active" => AccountStatus::Active,
            _ => AccountStatus::Suspended,
        };
        let wanted = ServiceAccountChange {
            status: Some(status),
            ..ServiceAccountChange::default()
        };
        let which = visit.param("account");
        match service_accounts::update(&visit.app, &visit.admin, None, &which, wanted).await {
            Ok(account) => Ok(visit.done(&here(), &format!("{} is changed.", account.name))),
            Err(refusal) => again(&visit, refusal, make(&visit)).await,
        }
    };
    visit.or_trouble(done.await)
}

/// Removes one with its tokens.
pub(in crate::console) async fn remove(visit: Visit) -> Response {
    let done = async {
        let which = visit.param("account");
        service_accounts::delete(&visit.app, &visit.admin, None, &which).await?;
        Ok::<_, Trouble>(visit.done(&here(), "The service account is deleted."))
    };
    visit.or_trouble(done.await)
}
