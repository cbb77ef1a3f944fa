//! What the compiler cannot see that the service is made of: migrations, and in a release the built web app.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-changed=build.rs");
    // A debug build reads the web app from disk while it runs.
    if std::env::var("PROFILE").as_deref() == Ok("release") && std::path::Path::new("../web/dist").exists() {
        println!("cargo:rerun-if-changed=../web/dist");
    }
}
