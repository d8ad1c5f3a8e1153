#[test]
fn transfers_to_a_nurse() {
    let answer: Result<&str, &str> = Ok("nurse");
    assert_eq!(answer, Ok("nurse"));
}
