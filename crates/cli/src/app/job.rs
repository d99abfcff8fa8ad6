//! `portreeve app status`, `pause`, `start` and `restart`.

use super::file::File;
use super::{Place, Which, shapes};
use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::{output, time};
use portreeve_provisioning::job::{Reset, State};
use serde_json::{Value, json};

/// How the job is.
pub(super) async fn status(global: &Global, which: &Which) -> Result<(), Failure> {
    let status = match which.place(global)? {
        Place::File(path) => of(&File::open(&path)?.state().await?).await?,
        Place::Server(api, app) => of_server(&api, &app).await?,
    };
    output::one(global.output, &shapes::STATUS, &status)
}

/// Lets no further cycle begin.
pub(super) async fn pause(global: &Global, which: &Which) -> Result<(), Failure> {
    let status = match which.place(global)? {
        Place::File(path) => {
            let state = File::open(&path)?.state().await?;
            state.pause().await.map_err(Failure::plain)?;
            of(&state).await?
        }
        Place::Server(api, app) => {
            api.post(&["applications", &app, "pause"], &json!({}))
                .await?;
            of_server(&api, &app).await?
        }
    };
    output::one(global.output, &shapes::STATUS, &status)
}

/// Lets the job go on where it stood.
pub(super) async fn start(global: &Global, which: &Which) -> Result<(), Failure> {
    let status = match which.place(global)? {
        Place::File(path) => {
            let state = File::open(&path)?.state().await?;
            state.start(time::now()).await.map_err(Failure::plain)?;
            of(&state).await?
        }
        Place::Server(api, app) => {
            api.post(&["applications", &app, "start"], &json!({}))
                .await?;
            of_server(&api, &app).await?
        }
    };
    output::one(global.output, &shapes::STATUS, &status)
}

/// Has the next cycle begin anew what the scopes say.
pub(super) async fn restart(
    global: &Global,
    which: &Which,
    scopes: &[String],
) -> Result<(), Failure> {
    let reset: Reset = scopes.join(",").parse().map_err(Failure::usage)?;
    let status = match which.place(global)? {
        Place::File(path) => {
            let state = File::open(&path)?.state().await?;
            let asked = state.restart(&reset, time::now()).await;
            asked.map_err(Failure::plain)?;
            let file = path.display();
            output::say(
                global.output,
                &format!("The next cycle takes it up; run it with: portreeve app run {file}"),
            );
            of(&state).await?
        }
        Place::Server(api, app) => {
            let body = json!({"resetScope": reset.to_string()});
            api.post(&["applications", &app, "restart"], &body).await?;
            of_server(&api, &app).await?
        }
    };
    output::one(global.output, &shapes::STATUS, &status)
}

/// The status of an application in a file, as the API shows that of one in a server.
pub(super) async fn of(state: &State) -> Result<Value, Failure> {
    let status = state.status().await.map_err(Failure::plain)?;
    Ok(json!(status))
}

/// The status of an application in a server.
pub(super) async fn of_server(api: &Api, app: &str) -> Result<Value, Failure> {
    api.get(&["applications", app, "status"], &[]).await
}
