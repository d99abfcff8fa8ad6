//! `portreeve app`: an application in a file, from its first line to its last cycle.

use crate::program::{Done, Server, file, portreeve};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

const USERS: &str = "objectId,userPrincipalName,displayName,givenName,surname,mail,manager,accountEnabled\n\
    1,grace@contoso.example,Grace Hopper,Grace,Hopper,grace@contoso.example,,true\n\
    2,ada@contoso.example,Ada Lovelace,Ada,Lovelace,ada@contoso.example,1,true\n";

/// A folder with a definition and its tables.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in [
            ("users.csv", USERS),
            ("groups.csv", "objectId,displayName\n9,Crew\n"),
            ("memberships.csv", "group,member\n9,1\n9,2\n"),
        ] {
            file(folder.path(), name, text);
        }
        Self(folder)
    }

    /// With an application that leads into a directory of that server.
    fn into(server: &Server) -> Self {
        let directory = server.json(&["directory", "create", "Branch"]);
        let folder = Self::new();
        folder.define(
            directory["tenant_url"].as_str().unwrap(),
            directory["secret_token"].as_str().unwrap(),
        );
        folder
    }

    fn define(&self, url: &str, token: &str) {
        self.write(
            "branch.toml",
            &format!(
                "name = \"Branch\"\ntemplate = \"portreeve\"\ninterval = \"1h\"\n\n[source]\ntype = \"csv\"\n\
                 users = \"users.csv\"\ngroups = \"groups.csv\"\nmemberships = \"memberships.csv\"\nkey = \"objectId\"\n\n\
                 [target]\nurl = \"{url}\"\nallow_private_addresses = true\n\
                 authentication = {{ type = \"bearer\", token = \"{token}\" }}\n"
            ),
        );
    }

    fn write(&self, name: &str, text: &str) {
        file(self.0.path(), name, text);
    }

    fn command(&self, line: &str) -> Command {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = portreeve(&["app"]);
        command.args(words).current_dir(self.0.path());
        command
    }

    fn app(&self, line: &str) -> Done {
        Done::of(&mut self.command(line))
    }

    fn json(&self, line: &str) -> Value {
        self.app(&format!("{line} -o json")).json()
    }
}

#[test]
fn a_file_goes_from_its_test_to_its_log_without_a_server_of_its_own() {
    let server = Server::start();
    let folder = Folder::into(&server);
    let tested = folder.json("test branch.toml");
    assert_eq!(tested["source"]["ok"], true, "{tested}");
    assert_eq!(tested["target"]["ok"], true, "{tested}");
    let linted = folder.json("lint branch.toml");
    let notes = linted.as_array().unwrap().iter().map(|it| &it["severity"]);
    assert!(notes.into_iter().all(|it| it == "note"), "{linted}");

    let dry = folder.json("dry-run branch.toml");
    assert_eq!(dry["counters"]["created"], 3, "{dry}");
    assert_eq!(dry["records"][0]["provisioningAction"], "create");
    assert_eq!(people(&server).len(), 0, "a dry run changes nothing");

    let first = folder.json("run branch.toml");
    assert_eq!(first["kind"], "initial", "{first}");
    assert_eq!(first["counters"]["created"], 3, "{first}");
    assert_eq!(
        people(&server),
        ["ada@contoso.example", "grace@contoso.example"]
    );

    folder.write("users.csv", &USERS.replace("Lovelace", "King"));
    let second = folder.json("run branch.toml");
    assert_eq!(second["kind"], "incremental", "{second}");
    assert_eq!(second["counters"]["updated"], 1, "{second}");
    let changed = folder.json("logs branch.toml --user ada --action update --limit 1");
    assert_eq!(changed[0]["sourceIdentity"]["id"], "2", "{changed}");

    let status = folder.json("status branch.toml");
    assert_eq!(
        (&status["code"], &status["users"]),
        (&json!("Active"), &json!(2))
    );
    let done = folder.app("logs branch.toml --csv exported");
    assert_eq!(done.code, 0, "{done:?}");
    let table = std::fs::read_to_string(folder.0.path().join("exported/ProvisioningLogs.csv"));
    assert!(table.unwrap().lines().count() > 3);
}

#[test]
fn one_person_at_once_shows_every_step() {
    let server = Server::start();
    let folder = Folder::into(&server);
    let done = folder.app("on-demand branch.toml ada@contoso.example");
    assert_eq!(done.code, 0, "{done:?}");
    for words in [
        "create user Ada Lovelace (2): success",
        "import",
        "matching",
        "export",
        "Success",
    ] {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }
    assert_eq!(people(&server), ["ada@contoso.example"]);
    let group = folder.json("on-demand branch.toml Crew --group --member 1");
    assert_eq!(group["result"], "Success", "{group}");
    let nobody = folder.app("on-demand branch.toml nobody");
    assert_eq!(nobody.code, 6, "{nobody:?}");
}

#[test]
fn a_job_is_paused_started_and_begun_anew() {
    let server = Server::start();
    let folder = Folder::into(&server);
    assert_eq!(folder.json("run branch.toml")["result"], "Succeeded");
    assert_eq!(folder.json("pause branch.toml")["code"], "Paused");
    let refused = folder.app("run branch.toml");
    assert_eq!(refused.code, 7, "{refused:?}");
    assert!(
        refused.err.contains("portreeve app start branch.toml"),
        "{refused:?}"
    );
    assert_eq!(folder.json("start branch.toml")["code"], "Active");
    assert_eq!(folder.json("run branch.toml")["kind"], "incremental");
    let asked = folder.json("restart branch.toml --scope Watermark,Escrows");
    assert_eq!(asked["restart"], "Escrows, Watermark");
    assert_eq!(folder.json("run branch.toml")["kind"], "initial");
}

#[test]
fn a_changed_mapping_is_compared_with_everybody_by_the_next_cycle() {
    let server = Server::start();
    let folder = Folder::into(&server);
    folder.json("run branch.toml");
    let spelt_out = folder.app("export branch.toml --mappings");
    assert!(!spelt_out.out.contains("token ="), "{spelt_out:?}");
    assert!(
        spelt_out
            .err
            .contains("target.authentication.token is left out"),
        "{spelt_out:?}"
    );
    let definition = std::fs::read_to_string(folder.0.path().join("branch.toml")).unwrap();
    let mappings = spelt_out.out.find("[[mappings]]").unwrap();
    let changed = format!(
        "{}\n{}",
        definition.replace("template = \"portreeve\"\n", ""),
        spelt_out.out[mappings..].replace("attribute = \"displayName\"", "attribute = \"surname\"")
    );
    folder.write("branch.toml", &changed);
    let cycle = folder.json("run branch.toml");
    assert_eq!(cycle["kind"], "initial", "{cycle}");
    assert_eq!(cycle["counters"]["updated"], 2, "{cycle}");
}

#[test]
fn expressions_are_tried_on_a_directory_of_the_server() {
    let server = Server::start();
    let folder = Folder::into(&server);
    assert_eq!(folder.app("run branch.toml").code, 0);
    let test = |more: &[&str]| {
        let words = ["mapping", "test", "ToUpper([givenName])"];
        server.json(&[&words, more].concat())
    };
    let all = test(&["--source", "directory:branch", "--all"]);
    let mut names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["result"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["ADA", "GRACE"]);
    // The definition of an application that runs in the server names the directory as well.
    folder.write(
        "native.toml",
        "name = \"N\"\n[source]\ntype = \"directory\"\ndirectory = \"Branch\"\n",
    );
    let native = folder.0.path().join("native.toml");
    let ada = [
        "user",
        "get",
        "ada@contoso.example",
        "--directory",
        "Branch",
    ];
    let ada = server.json(&ada)["id"].as_str().unwrap().to_owned();
    let one = test(&["--source", native.to_str().unwrap(), "--key", &ada]);
    assert_eq!(one["result"], "ADA", "{one}");
    let groups = ["--source", "directory:Branch", "--kind", "group", "--all"];
    let words = ["mapping", "test", "[displayName]"];
    let group = server.json(&[&words, &groups[..]].concat());
    assert_eq!(group[0]["result"], "Crew", "{group}");
    let nobody = server.run(&[&words, &["--source", "directory:Nobody", "--all"][..]].concat());
    assert_eq!(nobody.code, 6, "{nobody:?}");
}

#[test]
fn what_remains_of_a_job_is_forgotten_on_request() {
    let server = Server::start();
    let folder = Folder::into(&server);
    folder.json("run branch.toml");
    let unsure = folder.app("delete branch.toml");
    assert_eq!(unsure.code, 2, "{unsure:?}");
    assert!(folder.0.path().join("branch.state").exists());
    assert_eq!(folder.app("delete branch.toml --yes").code, 0);
    assert!(!folder.0.path().join("branch.state").exists());
    let again = folder.json("run branch.toml");
    assert_eq!(
        again["counters"]["created"], 0,
        "everybody is found again: {again}"
    );
    assert_eq!(people(&server).len(), 2);
}

#[test]
fn a_job_that_is_watched_follows_its_files_until_it_is_stopped() {
    let server = Server::start();
    let folder = Folder::into(&server);
    let mut watched = Watched::start(&folder);
    assert_eq!(watched.next()["counters"]["created"], 3);
    folder.write("users.csv", &USERS.replace("Lovelace", "King"));
    assert_eq!(watched.next()["counters"]["updated"], 1);
    assert_eq!(folder.app("pause branch.toml").code, 8, "it runs elsewhere");
    assert_eq!(watched.stop(), Some(0));
}

#[test]
fn a_job_that_is_watched_takes_up_what_its_definition_says_now() {
    let server = Server::start();
    let folder = Folder::into(&server);
    let definition = std::fs::read_to_string(folder.0.path().join("branch.toml")).unwrap();
    let mut watched = Watched::start(&folder);
    assert_eq!(watched.next()["counters"]["created"], 3);
    // One that cannot be used changes nothing.
    folder.write("branch.toml", "name = ");
    folder.write("users.csv", &USERS.replace("Lovelace", "King"));
    assert_eq!(watched.next()["counters"]["updated"], 1);
    folder.write(
        "branch.toml",
        &definition.replace(
            "interval = \"1h\"",
            "interval = \"1h\"\ndeprovisioning = { users = \"delete\" }",
        ),
    );
    assert_eq!(watched.next()["kind"], "initial");
    folder.write("users.csv", &USERS.replace("1,true", "1,false"));
    assert_eq!(watched.next()["counters"]["deleted"], 1);
    assert_eq!(watched.stop(), Some(0));
}

/// `portreeve app run --watch`, which prints a line for each cycle.
struct Watched {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watched {
    fn start(folder: &Folder) -> Self {
        let mut command = folder.command("run branch.toml --watch -o json");
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn next(&mut self) -> Value {
        let line = self.lines.next().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn stop(&mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", "INT", &id]).status();
        assert!(sent.unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_definition_to_begin_with_needs_only_to_be_filled_in() {
    let folder = Folder::new();
    let made =
        folder.app("create new.toml --template smallstep --tenant-url https://app.example/scim");
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.err.contains("portreeve app test new.toml"), "{made:?}");
    assert_eq!(folder.app("create new.toml").code, 7);
    assert_eq!(folder.json("lint new.toml --offline"), json!([]));
    let shown = folder.json("get new.toml");
    assert_eq!(shown["definition"]["template"], "smallstep");
    assert_eq!(shown["target"], "https://app.example/scim");
}

#[test]
fn a_target_on_this_machine_is_allowed_by_the_definition_to_begin_with() {
    let folder = Folder::new();
    for (url, allowed) in [
        ("http://127.0.0.1:8460/scim/1/v2", true),
        ("http://localhost:8460/scim/1/v2", true),
        ("http://[::1]/scim", true),
        ("https://10.1.2.3/scim", true),
        ("https://app.example/scim", false),
    ] {
        let made = folder.app(&format!("create new.toml --tenant-url {url}"));
        assert_eq!(made.code, 0, "{made:?}");
        assert_eq!(
            made.err.contains("allow_private_addresses"),
            allowed,
            "{made:?}"
        );
        let target = &folder.json("get new.toml")["definition"]["target"];
        assert_eq!(target["allow_private_addresses"] == true, allowed, "{url}");
        std::fs::remove_file(folder.0.path().join("new.toml")).unwrap();
    }
}

#[test]
fn the_mappings_of_a_job_of_entra_are_taken_over() {
    let folder = Folder::new();
    let attribute = |target: &str, source: &str, matching: u8| {
        json!({
            "targetAttributeName": target, "matchingPriority": matching,
            "source": {"type": "Attribute", "name": source, "expression": format!("[{source}]")},
        })
    };
    let schema = json!({"synchronizationRules": [{"objectMappings": [{
        "enabled": true, "sourceObjectName": "User", "targetObjectName": "User", "flowTypes": "Add, Update, Delete",
        "attributeMappings": [attribute("userName", "userPrincipalName", 1), attribute("displayName", "displayName", 0)],
    }]}]});
    folder.write("schema.json", &schema.to_string());
    let made = folder.app("import schema.json taken.toml");
    assert_eq!(made.code, 0, "{made:?}");
    let found = folder.app("lint taken.toml --offline");
    assert!(found.out.contains("active is not mapped"), "{found:?}");
    let shown = folder.json("get taken.toml");
    let mappings = &shown["definition"]["mappings"][0]["attributeMappings"];
    assert_eq!(mappings[0]["target"], "userName", "{shown}");
}

#[test]
fn a_failing_command_names_the_thing_and_the_remedy() {
    let folder = Folder::new();
    folder.define("https://127.0.0.1:9/scim", "hush");
    folder.write("broken.toml", "name = \"A\"\n\n[source]\ntype = \"cvs\"\n");
    for (line, code, says) in [
        ("run nothing.toml", 6, "portreeve app create nothing.toml"),
        ("run broken.toml", 2, "did you mean csv?"),
        ("lint broken.toml", 2, "broken.toml: "),
        ("create Wiki", 2, "--from FILE"),
        ("restart branch.toml --scope All", 2, "\"All\" is no scope"),
        ("logs branch.toml --status bad", 2, "--status"),
        ("logs branch.toml --since soon", 2, "--since"),
        ("logs branch.toml --follow", 2, "nothing to follow"),
        ("create branch.toml", 7, "is there already"),
        (
            "create new.toml --template smalstep",
            2,
            "did you mean smallstep?",
        ),
        ("import users.csv taken.toml", 2, "users.csv: "),
    ] {
        let done = folder.app(line);
        assert_eq!(done.code, code, "{line}: {done:?}");
        assert!(done.err.contains(says), "{line}: {done:?}");
        assert!(!done.err.contains("hush"), "{line}: {done:?}");
    }
}

#[test]
fn an_end_that_cannot_be_used_fails_the_test_and_is_named() {
    let folder = Folder::new();
    folder.define("https://127.0.0.1:9/scim", "hush");
    std::fs::remove_file(folder.0.path().join("groups.csv")).unwrap();
    let done = folder.app("test branch.toml");
    assert_eq!(done.code, 1, "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(
        lines[0].starts_with("source: failed: ") && lines[0].contains("groups.csv"),
        "{done:?}"
    );
    assert!(lines[1].starts_with("target: failed: "), "{done:?}");
}

/// Names of the people in the only directory.
fn people(server: &Server) -> Vec<String> {
    let listed = server.run(&["user", "list", "-o", "name"]).out;
    let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
    names.sort();
    names
}

/// A server, the folder with what an application is made of, its definition, and the token that is in it.
fn office() -> (Server, Folder, String, String) {
    let folder = Folder::new();
    let files = folder.0.path().to_str().unwrap();
    let words = [
        "--applications-files",
        files,
        "--applications-private-addresses",
        "yes",
    ];
    let server = Server::on(TempDir::new().unwrap(), &words);
    let directory = server.json(&["directory", "create", "Branch"]);
    folder.define(directory["tenant_url"].as_str().unwrap(), "replaced");
    let token = directory["secret_token"].as_str().unwrap().to_owned();
    folder.write("token", &token);
    let path = folder.0.path().join("branch.toml");
    let definition = std::fs::read_to_string(&path).unwrap();
    let elsewhere = definition.replace("token = \"replaced\"", "token = { file = \"token\" }");
    std::fs::write(&path, elsewhere).unwrap();
    (server, folder, path.to_str().unwrap().to_owned(), token)
}

#[test]
fn what_a_definition_says_wins() {
    let (server, folder, path, _) = office();
    let made = server.json(&["app", "create", "Office", "--from", &path]);
    assert!(made["definition"].get("interval").is_some(), "{made}");
    let text = std::fs::read_to_string(&path).unwrap();
    let shorter = folder.0.path().join("shorter.toml");
    std::fs::write(&shorter, text.replace("interval = \"1h\"\n", "")).unwrap();
    let shorter = shorter.to_str().unwrap();
    let renamed = server.json(&["app", "update", "Office", "--from", shorter]);
    assert_eq!(renamed["name"], "Branch", "what the file says: {renamed}");
    assert!(renamed["definition"].get("interval").is_none(), "{renamed}");
    assert_eq!(renamed["secrets"], made["secrets"], "{renamed}");
}

#[test]
fn a_name_is_an_application_of_the_server() {
    let (server, _folder, path, token) = office();
    let (path, token) = (path.as_str(), token.as_str());
    let made = server.json(&["app", "create", "Office", "--from", path]);
    assert_eq!(made["name"], "Office", "{made}");
    assert_eq!(made["secrets"], json!(["target.authentication.token"]));
    assert!(!made.to_string().contains(token), "{made}");
    let ran = server.json(&["app", "run", "Office"]);
    assert_eq!(ran["result"], "Succeeded");
    assert_eq!(people(&server).len(), 2);
    let logged = server.json(&[
        "app", "logs", "Office", "--action", "create", "--user", "ada",
    ]);
    assert_eq!(logged.as_array().unwrap().len(), 1, "{logged}");
    let status = server.json(&["app", "status", "Office"]);
    assert_eq!(
        (&status["code"], &status["users"]),
        (&json!("Active"), &json!(2))
    );

    let changed = server.json(&[
        "app", "update", "Office", "--from", path, "--name", "Bureau",
    ]);
    assert_eq!(changed["name"], "Bureau", "{changed}");
    let tested = server.json(&["app", "test", "Bureau"]);
    assert_eq!(tested["target"]["ok"], true);
    let lint = server.json(&["app", "lint", "Bureau"]);
    let rules = lint.as_array().unwrap().iter().map(|it| &it["rule"]);
    let rules: Vec<_> = rules.filter(|it| *it != "null").collect();
    assert_eq!(
        rules,
        ["no-such-attribute"],
        "nothing but what the tables lack"
    );
    let dry = server.json(&["app", "dry-run", "Bureau"]);
    assert_eq!(dry["counters"]["created"], 0, "{dry}");
    let one = server.json(&["app", "on-demand", "Bureau", "ada@contoso.example"]);
    assert_ne!(one["result"], "Failure", "{one}");
    assert_eq!(server.json(&["app", "pause", "Bureau"])["code"], "Paused");
    assert_eq!(server.run(&["app", "run", "Bureau"]).code, 7);
    assert_eq!(server.json(&["app", "start", "Bureau"])["code"], "Active");
    let exported = server.run(&["app", "export", "Bureau"]);
    assert!(
        exported.out.contains("template = \"portreeve\""),
        "{exported:?}"
    );
    assert!(!exported.out.contains(token), "{exported:?}");
    assert_eq!(server.run(&["app", "delete", "Bureau", "--yes"]).code, 0);
    assert_eq!(server.json(&["app", "list"]), json!([]));
    assert_eq!(server.run(&["app", "status", "Bureau"]).code, 6);
}
