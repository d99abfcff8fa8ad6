//! The tablets of a location.

use super::location_page;
use super::locations::{find, make};
use crate::admin::visit_devices::{self, DeviceStatus, DeviceView, NewDevice};
use crate::admin::visit_locations::LocationView;
use crate::console::happening::time;
use crate::console::settings::{badge, question, text};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_console::pages::settings::{Block, Content, Row, Table};
use portreeve_console::parts::{Confirm, Field, Secret, Shown, Tone};
use portreeve_directory::Permission;
use secrecy::ExposeSecret;

/// Those of a location, with what can be done.
pub(super) async fn block(visit: &Visit, location: &LocationView) -> Result<Block, Trouble> {
    let all = visit_devices::list(&visit.app, &visit.admin, None, &location.id).await?;
    let may = visit.may(Permission::VisitorWrite);
    let row = |device: &DeviceView| row(device, &location.id, may);
    Ok(Block {
        id: "devices",
        title: "Devices",
        lead: String::new(),
        actions: may.then(|| new(location)).into_iter().collect(),
        content: Content::Table(Table {
            head: vec!["Name", "State", "Made", "Last used"],
            rows: all.iter().rev().map(row).collect(),
            empty: "There is none: nobody can sign in here yet. Make one for the tablet at the door.",
        }),
        live: "Device",
    })
}

fn new(location: &LocationView) -> Confirm {
    let mut new = question(
        "new".to_owned(),
        "New device…",
        format!("A device for {}", location.name),
        "It gets a token, by which it shows the reception of this location and nothing else. It is shown once.",
        location_page(&location.id).join("devices"),
    );
    new.label = "Make the device".to_owned();
    new.danger = false;
    new.fields = vec![
        Field::line("device", "name", "Name", "")
            .example("Tablet at the main door")
            .required(),
    ];
    new
}

fn row(device: &DeviceView, location: &str, may: bool) -> Row {
    let state = match device.status {
        DeviceStatus::Active => badge(Tone::Good, "Works"),
        DeviceStatus::Revoked => badge(Tone::Bad, "Revoked"),
    };
    let revoke = question(
        format!("revoke-{}", device.id),
        "Revoke…",
        format!("Revoke “{}”?", device.name),
        "It shows nothing any more, at once. Visitors who signed in there stay signed in.",
        location_page(location)
            .join("devices")
            .join(&device.id)
            .join("revoke"),
    );
    let used = device.last_used_at.map(|at| Shown::Time(time(at.0)));
    let works = device.status == DeviceStatus::Active;
    Row {
        cells: vec![
            text(device.name.clone()),
            state,
            Shown::Time(time(device.created_at.0)),
            used.unwrap_or_else(|| text("never")),
        ],
        actions: (may && works).then_some(revoke).into_iter().collect(),
    }
}

/// Makes one. Its token is on the page that answers, and nowhere else.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let location = find(&visit).await?;
        let wanted = NewDevice {
            name: form.text("name").to_owned(),
        };
        match visit_devices::create(&visit.app, &visit.admin, None, &location.id, wanted).await {
            Ok(made) => {
                let mut page = make(&visit, &location, None).await?;
                page.secrets = vec![
                    Secret {
                        id: "setup",
                        label: format!("Open this on {}", made.device.name),
                        value: made.setup_url.0.expose_secret().to_owned(),
                        advice: "Once: from then on the device knows who it is, and opens the page of the location by itself.".to_owned(),
                    },
                    Secret {
                        id: "token",
                        label: "Its token".to_owned(),
                        value: made.token.0.expose_secret().to_owned(),
                        advice: "It is in the address above. For a device on which it is pasted by hand.".to_owned(),
                    },
                ];
                Ok(visit.page_as(StatusCode::CREATED, &page))
            }
            Err(refusal) => {
                let refused = (Trouble::from(refusal).problem()?, None);
                Ok(visit.again(&make(&visit, &location, Some(refused)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// Sends one away, now.
pub(in crate::console) async fn revoke(visit: Visit) -> Response {
    let done = async {
        let (location, id) = (visit.param("location"), visit.param("device"));
        let which = (location.as_str(), id.as_str());
        let device = visit_devices::revoke(&visit.app, &visit.admin, None, which).await?;
        let page = location_page(&device.location_id);
        Ok::<_, Trouble>(visit.done(&page, &format!("“{}” is revoked.", device.name)))
    };
    visit.or_trouble(done.await)
}
