//! What an admin does within one team: the team is found in the transaction that needs it, among those that they may see.

use super::{Admin, Object, change, members_of};
use crate::app::App;
use portreeve_directory::Refusal;
use portreeve_directory::events::{self, Category};
use portreeve_directory::teams::Team;
use portreeve_store::Tx;
use serde::Serialize;
use serde_json::Value;

impl Admin {
    /// Reads within a team, by its id or name; without one, in their own.
    pub(crate) async fn read<R: Send + 'static>(
        &self,
        app: &App,
        team: Option<&str>,
        work: impl Fn(&mut Tx<'_>, &Self, &Team) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        let read = app.store.read(self.within(team, work));
        read.await
    }

    /// As [`Admin::read`], for the few rows that a key finds.
    pub(crate) async fn lookup<R: Send + 'static>(
        &self,
        app: &App,
        team: Option<&str>,
        work: impl Fn(&mut Tx<'_>, &Self, &Team) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        let read = app.store.lookup(self.within(team, work));
        read.await
    }

    /// As [`change`], within a team.
    pub(crate) async fn change<R: Send + 'static>(
        &self,
        app: &App,
        team: Option<&str>,
        work: impl Fn(&mut Tx<'_>, &Self, &Team) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        change(app, self.within(team, work)).await
    }

    fn within<R>(
        &self,
        team: Option<&str>,
        work: impl Fn(&mut Tx<'_>, &Self, &Team) -> Result<R, Refusal> + Send + 'static,
    ) -> impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static {
        let (admin, wanted) = (self.clone(), team.map(str::to_owned));
        move |tx| {
            let team = admin.team(tx, wanted.as_deref())?;
            work(tx, &admin, &team)
        }
    }

    /// Leaves an event of something that was made in a team: all that is shown of it.
    pub(crate) fn record_made(
        &self,
        tx: &mut Tx<'_>,
        team_id: &str,
        object: &Object<'_>,
        view: &impl Serialize,
    ) -> Result<(), Refusal> {
        let changes = Value::Object(members_of(view)).to_string();
        let what = (Category::Admin, "create");
        self.record_in(tx, team_id, what, object, Some(&changes))
    }

    /// Leaves an event of something in a team that is shown otherwise now: what differs.
    pub(crate) fn record_changed(
        &self,
        tx: &mut Tx<'_>,
        team_id: &str,
        (action, object): (&str, &Object<'_>),
        (before, after): (&impl Serialize, &impl Serialize),
    ) -> Result<(), Refusal> {
        let changes = events::diff(&members_of(before), &members_of(after));
        let what = (Category::Admin, action);
        self.record_in(tx, team_id, what, object, changes.as_deref())
    }
}
