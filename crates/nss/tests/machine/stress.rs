//! Many threads and forks ask while the files are replaced again and again.

use crate::ground::Ground;

#[test]
fn no_answer_is_wrong_while_files_are_replaced() {
    let ground = Ground::start();
    let said = ground.python(include_str!("stress.py"));
    assert_eq!(said, "0 wrong\n");
}
