//! Provisioners: whose tokens get certificates from the API that the `step` client speaks.

use super::authority::{again, here};
use super::{badge, question, text};
use crate::admin::provisioners::{self, NewProvisioner, ProvisionerKind, ProvisionerView};
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_console::pages::settings::{Block, Content, Row, Table};
use portreeve_console::parts::{Choice, Confirm, Copyable, Field, Form as Input, Shown, Tone};
use portreeve_directory::Permission;
use portreeve_directory::connections::{self, Connection};
use portreeve_x509::chain;
use secrecy::SecretString;
use serde_json::Value;

/// Those of the team, and the questions by which they are declared.
pub(super) async fn block(visit: &Visit) -> Result<Block, Trouble> {
    let all = provisioners::list(&visit.app, &visit.admin, None).await?;
    let may = visit.may(Permission::CaWrite);
    let actions = match may {
        true => vec![jwk(), oidc(connected(visit).await?), x5c()],
        false => Vec::new(),
    };
    Ok(Block {
        id: "provisioners",
        title: "Provisioners",
        lead: "Whose tokens get certificates through the step client. Whoever holds the key of a JWK or X5C is trusted with every name.".to_owned(),
        actions,
        content: Content::Table(Table {
            head: vec!["Name", "Kind", "Known by", "Since"],
            rows: all.iter().map(|one| row(one, may)).collect(),
            empty: "There is none.",
        }),
        live: "Provisioner Connection",
    })
}

fn row(one: &ProvisionerView, may: bool) -> Row {
    let remove = one.id.as_deref().filter(|_| may).map(|id| {
        question(
            format!("remove-{id}"),
            "Remove…",
            format!("Remove the provisioner {}?", one.name),
            "Its tokens are taken no longer. Certificates that they got stay good; revoke those that should not.",
            here().join("provisioners").join(id).join("remove"),
        )
    });
    Row {
        cells: vec![
            text(one.name.clone()),
            badge(
                Tone::Neutral,
                match one.kind {
                    ProvisionerKind::Jwk => "JWK",
                    ProvisionerKind::Oidc => "OIDC",
                    ProvisionerKind::X5c => "X5C",
                    ProvisionerKind::Sshpop => "SSHPOP",
                },
            ),
            known_by(one),
            match one.created_at {
                Some(at) => Shown::Time(time(at.0)),
                None => text("there by itself"),
            },
        ],
        actions: remove.into_iter().collect(),
    }
}

/// What tells the one whose tokens are taken from everybody else.
fn known_by(one: &ProvisionerView) -> Shown {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match one.kind {
        ProvisionerKind::Jwk => {
            Shown::Copyable(Copyable::new("key id", word(&one.details["key"]["kid"])))
        }
        ProvisionerKind::Oidc => {
            Shown::Copyable(Copyable::new("client id", word(&one.details["clientID"])))
        }
        ProvisionerKind::X5c => {
            let pem = STANDARD.decode(word(&one.details["roots"]));
            let pem = pem.ok().and_then(|pem| String::from_utf8(pem).ok());
            let roots = pem.and_then(|pem| chain::from_pem(&pem).ok());
            let roots: Vec<String> = roots
                .iter()
                .flatten()
                .map(|root| chain::fingerprint(root))
                .collect();
            match roots.as_slice() {
                [root] => Shown::Copyable(Copyable::new("fingerprint of the root", root.clone())),
                roots => text(format!("{} certificates", roots.len())),
            }
        }
        ProvisionerKind::Sshpop => text("certificates of this authority"),
    }
}

/// A question that declares one of a kind.
fn declare(kind: &'static str, opener: &str, title: &str, effect: &str) -> Confirm {
    let mut question = question(
        format!("provisioner-{kind}"),
        opener,
        title.to_owned(),
        effect,
        here().join("provisioners"),
    );
    question.danger = false;
    question.label = "Declare".to_owned();
    question.values = vec![("kind", kind.to_owned())];
    question
}

fn area(rows: u8) -> Input {
    let value = String::new();
    Input::Text { value, rows }
}

fn jwk() -> Confirm {
    let mut question = declare(
        "jwk",
        "New JWK…",
        "Tokens that are signed with a key",
        "For installers of machines. With a password, a key is made here and encrypted with it; or give the public key of one that you keep.",
    );
    question.fields = vec![
        Field::line("jwk", "name", "Name", "")
            .example("installer")
            .required(),
        Field::new("jwk", "password", "Password of a new key", Input::Password)
            .autocomplete("new-password")
            .help("12 characters at least. step asks for it, and it is not kept here."),
        Field::new("jwk", "key", "Public key that you have", area(3))
            .help("A JWK.")
            .code(),
        Field::new(
            "jwk",
            "encrypted_key",
            "Its private key, encrypted",
            area(3),
        )
        .help("A JWE, for step to fetch.")
        .code(),
    ];
    question
}

fn oidc(directories: Vec<Choice>) -> Confirm {
    let mut question = declare(
        "oidc",
        "New OIDC…",
        "Another client of an identity provider",
        "People of the directory sign in with it when they use step. The connection of each directory is here without it.",
    );
    question.fields = vec![
        Field::line("oidc", "name", "Name", "")
            .example("Contoso")
            .help("People choose by it.")
            .required(),
        Field::new(
            "oidc",
            "directory",
            "Directory whose people sign in",
            Input::Select(directories),
        )
        .help("Only directories with a connection.")
        .required(),
        Field::line("oidc", "client_id", "Client id", "")
            .help("Of a public client, which may be sent back to http://127.0.0.1.")
            .required(),
        Field::line("oidc", "public_secret", "Secret of the client", "")
            .help("Where the provider gives public clients one; everybody can read it."),
        Field::line("oidc", "listen_address", "Where step listens", "")
            .example(":10000")
            .help("Where the provider does not take any port."),
        Field::line("oidc", "scopes", "Scopes", "").example("openid email"),
        Field::new("oidc", "auth_params", "What else is sent", area(2))
            .help("One in each line: name=value.")
            .code(),
    ];
    question
}

fn x5c() -> Confirm {
    let mut question = declare(
        "x5c",
        "New X5C…",
        "Tokens that are signed with X.509 certificates",
        "For machines that have a certificate of another authority already.",
    );
    question.fields = vec![
        Field::line("x5c", "name", "Name", "")
            .example("cloud")
            .required(),
        Field::new("x5c", "roots", "Roots", area(6))
            .help("PEM: the certificates that those of the tokens must lead to.")
            .code()
            .required(),
    ];
    question
}

/// The directories whose people can sign in at their provider.
async fn connected(visit: &Visit) -> Result<Vec<Choice>, Trouble> {
    let team = visit.team.id.clone();
    let all = visit
        .read(move |tx| connections::in_team(tx, &team))
        .await?;
    let choice = |one: Connection| Choice::new(one.directory_id, one.directory_name, false);
    let choices: Vec<Choice> = all.into_iter().map(choice).collect();
    Ok(match choices.is_empty() {
        true => vec![Choice::new("", "None is connected yet", true)],
        false => choices,
    })
}

/// Declares one.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let made = async {
            let wanted = wanted(&form)?;
            Ok(provisioners::create(&visit.app, &visit.admin, wanted).await?)
        };
        match made.await {
            Ok(made) => Ok(visit.done(&here(), &format!("{} is a provisioner now.", made.name))),
            Err(trouble) => again(&visit, trouble).await,
        }
    };
    visit.or_trouble(done.await)
}

fn wanted(form: &Form) -> Result<NewProvisioner, Trouble> {
    let words = |name: &str| form.text(name).split_whitespace().map(str::to_owned);
    let lines = form.text("auth_params").lines().map(str::trim);
    let key = form.filled("key").map(|key| serde_json::from_str(&key));
    let key = key.transpose();
    // A blank belongs to a password.
    let sent = form.pairs().iter().find(|(name, _)| name == "password");
    let password = sent.filter(|(_, password)| !password.is_empty());
    Ok(NewProvisioner {
        name: form.text("name").to_owned(),
        kind: match form.text("kind") {
            "jwk" => ProvisionerKind::Jwk,
            "oidc" => ProvisionerKind::Oidc,
            "x5c" => ProvisionerKind::X5c,
            _ => return Err(Trouble::Invalid("say which kind of provisioner".to_owned())),
        },
        password: password.map(|(_, password)| SecretString::from(password.as_str())),
        key: key
            .map_err(|error| Trouble::Invalid(format!("the public key is no JSON: {error}")))?,
        encrypted_key: form.filled("encrypted_key"),
        roots: form.filled("roots"),
        directory: form.filled("directory"),
        client_id: form.filled("client_id"),
        public_secret: form.filled("public_secret"),
        listen_address: form.filled("listen_address"),
        scopes: words("scopes").collect(),
        auth_params: lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        team: None,
    })
}

/// Takes the tokens of one no longer.
pub(in crate::console) async fn remove(visit: Visit) -> Response {
    let done = async {
        let which = visit.param("provisioner");
        match provisioners::delete(&visit.app, &visit.admin, None, &which).await {
            Ok(()) => Ok(visit.done(&here(), "The provisioner is removed.")),
            Err(refusal) => again(&visit, refusal.into()).await,
        }
    };
    visit.or_trouble(done.await)
}
