//! Saved filters of the log.

use super::view::At;
use super::{Admin, Object, change};
use crate::app::App;
use portreeve_directory::Refusal;
use portreeve_directory::events::Category;
use portreeve_directory::saved_views::{self, SavedView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A filter to be given a name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewView {
    /// Unique in the team.
    pub(crate) name: String,
    /// The query of the log's address in the console.
    pub(crate) query: String,
}

/// A filter with a name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ViewView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) query: String,
    pub(crate) created_at: At,
}

impl From<SavedView> for ViewView {
    fn from(view: SavedView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            query: view.query,
            created_at: At(view.created_at),
        }
    }
}

/// The saved views of a team by name.
pub(crate) async fn list(app: &App, admin: &Admin) -> Result<Vec<ViewView>, Refusal> {
    let admin = admin.clone();
    let read = app.store.read(move |tx| {
        let team = admin.team(tx, None)?;
        saved_views::list(tx, &team.id)
    });
    Ok(read.await?.into_iter().map(ViewView::from).collect())
}

/// Gives a filter a name.
pub(crate) async fn create(app: &App, admin: &Admin, wanted: NewView) -> Result<ViewView, Refusal> {
    let admin = admin.clone();
    let made = change(app, move |tx| {
        let team = admin.team(tx, None)?;
        let what = (wanted.name.as_str(), wanted.query.as_str());
        let view = saved_views::create(tx, &team.id, &admin.new_id(), what, admin.at)?;
        admin.record_in(
            tx,
            &team.id,
            (Category::Admin, "create"),
            &object(&view),
            None,
        )?;
        Ok(view)
    });
    Ok(made.await?.into())
}

/// Forgets a saved view.
pub(crate) async fn delete(app: &App, admin: &Admin, id: &str) -> Result<(), Refusal> {
    let (admin, id) = (admin.clone(), id.to_owned());
    let gone = change(app, move |tx| {
        let team = admin.team(tx, None)?;
        let view = saved_views::delete(tx, &team.id, &id)?;
        admin.record_in(
            tx,
            &team.id,
            (Category::Admin, "delete"),
            &object(&view),
            None,
        )
    });
    gone.await
}

fn object(view: &SavedView) -> Object<'_> {
    Object {
        kind: "View",
        id: &view.id,
        name: &view.name,
    }
}
