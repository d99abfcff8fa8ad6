use super::*;

#[test]
fn one_of_ones_own_is_stopped_killed_and_started_and_then_leaves_nothing() {
    let cluster = Cluster::own();
    let folder = cluster.server().folder().to_owned();
    cluster.execute("CREATE TABLE kept (x INT); INSERT INTO kept VALUES (1)");
    let asked = "DO $$ BEGIN ASSERT (SELECT count(*) FROM kept) = 1; END $$";
    for stop in [Cluster::stop, Cluster::stop_hard] {
        let before = cluster.process();
        stop(&cluster);
        assert!(cluster.programs.psql(cluster.url(), "SELECT 1").is_err());
        cluster.start();
        assert_ne!(cluster.process(), before);
        cluster.execute(asked);
    }
    let (first, second) = (cluster.fresh_url(), cluster.fresh_url());
    assert_ne!(first, second);
    for url in [first, cluster.fresh_tcp_url()] {
        let made = cluster.programs.psql(&url, "CREATE TABLE own (x INT)");
        assert_eq!(made, Ok(()), "{url}");
    }
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn paths_are_hosts_in_a_url() {
    assert_eq!(
        encoded(Path::new("/tmp/a b-c_d.é")),
        "%2Ftmp%2Fa%20b-c_d.%C3%A9"
    );
}
