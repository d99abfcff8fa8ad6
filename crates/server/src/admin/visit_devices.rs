//! Devices, the tablets at the doors of locations: let them in and send them away. A token is in one answer only.

use super::view::{At, Shown};
use super::{Admin, Object};
use crate::app::App;
use portreeve_directory::events::Category;
use portreeve_directory::visit_devices::{self, Device};
use portreeve_directory::visit_locations;
use portreeve_directory::{Refusal, What};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

/// A device as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct DeviceView {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) location_id: String,
    pub(crate) status: DeviceStatus,
    pub(crate) created_at: At,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<At>,
}

/// Whether a device may receive visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeviceStatus {
    Active,
    Revoked,
}

/// A new device.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MadeDevice {
    #[serde(flatten)]
    pub(crate) device: DeviceView,
    /// What lets the device in. Shown this once.
    pub(crate) token: Shown,
    /// The page that is opened on the device once, to let it in. Shown this once.
    pub(crate) setup_url: Shown,
}

/// A device to be let in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDevice {
    /// What people call it.
    pub(crate) name: String,
}

impl DeviceView {
    fn of(device: &Device) -> Self {
        Self {
            id: device.id.clone(),
            name: device.name.clone(),
            location_id: device.location_id.clone(),
            status: match device.revoked_at {
                None => DeviceStatus::Active,
                Some(_) => DeviceStatus::Revoked,
            },
            created_at: At(device.created_at),
            last_used_at: device.last_used_at.map(At),
            revoked_at: device.revoked_at.map(At),
        }
    }
}

/// The devices of a location, oldest first, those included that were revoked.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    location: &str,
) -> Result<Vec<DeviceView>, Refusal> {
    let location = location.to_owned();
    let read = admin.read(app, team, move |tx, _, team| {
        let location = visit_locations::find(tx, &team.id, &location)?;
        let all = visit_devices::list(tx, &team.id, &location.id)?;
        Ok(all.iter().map(DeviceView::of).collect())
    });
    read.await
}

/// Lets a device in.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    location: &str,
    wanted: NewDevice,
) -> Result<MadeDevice, Refusal> {
    let (base, location) = (app.public_url(), location.to_owned());
    let made = admin.change(app, team, move |tx, admin, team| {
        let location = visit_locations::find(tx, &team.id, &location)?;
        let id = admin.new_id();
        let new = (id.as_str(), &location);
        let (device, token) = visit_devices::create(tx, &team.id, new, &wanted.name, admin.at)?;
        let view = DeviceView::of(&device);
        admin.record_made(tx, &team.id, &object(&device), &view)?;
        let setup = format!(
            "{base}/visit/{}/setup#{}",
            location.id,
            token.expose_secret()
        );
        Ok(MadeDevice {
            device: view,
            token: Shown(token),
            setup_url: Shown(setup.into()),
        })
    });
    made.await
}

/// Sends a device of a location away, now.
pub(crate) async fn revoke(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    (location, id): (&str, &str),
) -> Result<DeviceView, Refusal> {
    let (location, id) = (location.to_owned(), id.to_owned());
    let revoked = admin.change(app, team, move |tx, admin, team| {
        let location = visit_locations::find(tx, &team.id, &location)?;
        let before = visit_devices::by_id(tx, &team.id, &id)?;
        if before.location_id != location.id {
            return Err(Refusal::NotFound(What::Device, id.clone()));
        }
        let device = visit_devices::revoke(tx, &team.id, &id, admin.at)?;
        if before.revoked_at.is_none() {
            let what = (Category::Admin, "revoke");
            admin.record_in(tx, &team.id, what, &object(&device), None)?;
        }
        Ok(DeviceView::of(&device))
    });
    revoked.await
}

fn object(device: &Device) -> Object<'_> {
    Object {
        kind: "Device",
        id: &device.id,
        name: &device.name,
    }
}
