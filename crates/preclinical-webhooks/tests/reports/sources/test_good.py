def test_transfers_to_a_nurse():
    assert True
