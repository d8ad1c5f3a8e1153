# rust.rs
