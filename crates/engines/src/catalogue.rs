//! The engines that can be installed, from the repository's folder `engines/`, embedded in the program.

use std::collections::BTreeMap;

use rust_embed::RustEmbed;
use serde::Deserialize;
use types::version_numbers;

use crate::{Error, Result};

#[derive(RustEmbed)]
#[folder = "../../engines"]
struct Files;

/// How an engine's programs are made: `engines/NAME.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recipe {
    /// The engine's name.
    pub name: String,
    /// The programs that a version consists of; the drivers start them by these names.
    pub programs: Vec<String>,
    /// Whether its makers look after it, where there is something to know before choosing it.
    #[serde(default)]
    pub maintenance: Option<String>,
    /// Versions that consist of other programs, oldest first.
    #[serde(default)]
    pub older: Vec<Older>,
    /// How they are built from Go modules; none when they can only be given.
    #[serde(default)]
    pub go: Option<GoRecipe>,
}

/// What is different in old versions.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Older {
    /// The first version that is as the recipe says.
    pub before: String,
    /// Instead of the recipe's.
    pub programs: Vec<String>,
    /// Instead of those of its Go module.
    pub packages: Vec<String>,
}

/// How programs are built from a Go module.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoRecipe {
    /// The module that the packages are in.
    pub module: String,
    /// The module whose version is asked for, when it replaces `module`.
    #[serde(default)]
    pub origin: Option<String>,
    /// Packages below the module, one for each program, in the same order.
    pub packages: Vec<String>,
    /// Flags of `go build`; `{version}` stands for the version.
    pub flags: Vec<String>,
    /// Whether it links C code.
    #[serde(default)]
    pub cgo: bool,
    /// `go.mod` for versions without a lock file; `{module-version}` stands for the Go version of the module.
    pub go_mod: String,
    /// Folders of the module that are kept beside the programs: name there, path in the module.
    #[serde(default)]
    pub folders: BTreeMap<String, String>,
    /// Releases by the version that the registry knows them by, newest first.
    pub releases: Vec<Release>,
}

/// A release of an engine.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// Such as `22.7.4`.
    pub version: String,
    /// Its Go module version.
    pub module_version: String,
}

/// What a version is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The committed module of a tested version.
    Locked {
        /// `go.mod`.
        go_mod: String,
        /// `go.sum`.
        go_sum: String,
    },
    /// A version that the registry is asked for: a module version, a commit or a tag.
    Asked(String),
}

/// All recipes.
#[derive(Debug)]
pub struct Catalogue(Vec<Recipe>);

impl Catalogue {
    /// The embedded one. Its files are checked by a test.
    ///
    /// # Errors
    /// [`Error::Record`] when a file of it cannot be read.
    pub fn embedded() -> Result<Self> {
        let mut recipes = Vec::new();
        for path in Files::iter().filter(|path| !path.contains('/') && path.ends_with(".json")) {
            let Some(file) = Files::get(&path) else { continue };
            let recipe = serde_json::from_slice(&file.data)
                .map_err(|source| Error::Record { path: format!("engines/{path}").into(), source })?;
            recipes.push(recipe);
        }
        recipes.sort_by(|a: &Recipe, b: &Recipe| a.name.cmp(&b.name));
        Ok(Self(recipes))
    }

    /// All engines that can be installed or added, by name.
    pub fn recipes(&self) -> &[Recipe] {
        &self.0
    }

    /// The recipe of an engine.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn recipe(&self, engine: &str) -> Result<&Recipe> {
        self.0.iter().find(|recipe| recipe.name == engine).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|recipe| recipe.name.as_str()).collect();
            Error::Unknown(engine.into(), names.join(", "))
        })
    }
}

impl Recipe {
    /// Versions that are known by name, newest first.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.go.iter().flat_map(|go| &go.releases).map(|release| release.version.as_str())
    }

    /// Whether the tests run a version.
    pub fn is_tested(&self, version: &str) -> bool {
        locked(&self.name, version).is_some()
    }

    /// The newest tested version that fits.
    pub fn newest_tested(&self, fits: impl Fn(&str) -> bool) -> Option<&str> {
        self.versions().find(|version| self.is_tested(version) && fits(version))
    }

    /// The recipe as it is for a version.
    #[must_use]
    pub fn of(&self, version: &str) -> Self {
        let (mut recipe, numbers) = (self.clone(), version_numbers(version));
        let older = self.older.iter().find(|older| !numbers.is_empty() && numbers < version_numbers(&older.before));
        if let Some(older) = older {
            recipe.programs.clone_from(&older.programs);
            if let Some(go) = &mut recipe.go {
                go.packages.clone_from(&older.packages);
            }
        }
        recipe
    }

    /// What a version is built from.
    ///
    /// # Errors
    /// [`Error::NotBuilt`], [`Error::Version`] for what cannot be a version.
    pub fn source(&self, version: &str) -> Result<Source> {
        let go = self.go.as_ref().ok_or_else(|| Error::NotBuilt(self.name.clone()))?;
        check_version(self, version)?;
        if let Some(source) = locked(&self.name, version) {
            return Ok(source);
        }
        let release = go.releases.iter().find(|release| release.version == version);
        Ok(Source::Asked(release.map_or(version, |release| release.module_version.as_str()).into()))
    }
}

/// A version names a directory, a program's path and a query to the registry.
pub(crate) fn check_version(recipe: &Recipe, version: &str) -> Result<()> {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
    let first = version.bytes().next();
    if version.len() <= 80 && version.bytes().all(fits) && first.is_some_and(|first| first.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let example = recipe.versions().next().unwrap_or("1.0.0");
    Err(Error::Version(version.into(), example.into()))
}

fn locked(engine: &str, version: &str) -> Option<Source> {
    let text = |file: &str| {
        let file = Files::get(&format!("{engine}-{version}/{file}"))?;
        String::from_utf8(file.data.into_owned()).ok()
    };
    Some(Source::Locked { go_mod: text("go.mod")?, go_sum: text("go.sum")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_recipes_fit_their_lock_files() {
        let catalogue = Catalogue::embedded().unwrap();
        assert!(catalogue.recipes().len() >= 3);
        for recipe in catalogue.recipes() {
            assert!(!recipe.programs.is_empty(), "{}", recipe.name);
            let Some(go) = &recipe.go else { continue };
            assert_eq!(go.packages.len(), recipe.programs.len(), "{}", recipe.name);
            for older in &recipe.older {
                assert_eq!(older.packages.len(), older.programs.len(), "{} before {}", recipe.name, older.before);
            }
            assert!(go.go_mod.contains("{module-version}"), "{}", recipe.name);
            let tested =
                recipe.newest_tested(|_| true).unwrap_or_else(|| panic!("{} has no tested version", recipe.name));
            for version in recipe.versions().filter(|version| recipe.is_tested(version)) {
                let Source::Locked { go_mod, go_sum } = recipe.source(version).unwrap() else { unreachable!() };
                let release = go.releases.iter().find(|release| release.version == *version).unwrap();
                assert!(
                    go_mod.contains(&release.module_version),
                    "{} {version}: go.mod has another version",
                    recipe.name
                );
                assert!(
                    go_sum.contains(&release.module_version),
                    "{} {version}: go.sum has another version",
                    recipe.name
                );
            }
            assert!(recipe.source(tested).is_ok());
        }
        let locks = Files::iter().filter(|path| path.ends_with("/go.mod")).count();
        let tested: usize = catalogue
            .recipes()
            .iter()
            .map(|recipe| recipe.versions().filter(|version| recipe.is_tested(version)).count())
            .sum();
        assert_eq!(locks, tested, "each lock file belongs to a release");
    }

    #[test]
    fn old_versions_have_other_programs() {
        let catalogue = Catalogue::embedded().unwrap();
        let geth = catalogue.recipe("geth").unwrap();
        let programs = |version: &str| geth.of(version).programs;
        assert_eq!(programs("1.17.5"), ["geth"]);
        assert_eq!(programs("0123456789ab"), ["geth"], "a commit: as now");
        assert_eq!(programs("1.13.15"), ["geth", "bootnode"]);
        assert_eq!(programs("v1.13.14"), ["geth", "bootnode"]);
        assert_eq!(geth.of("1.13.15").go.unwrap().packages, ["cmd/geth", "cmd/bootnode"]);
    }

    #[test]
    fn versions_cannot_leave_their_directory() {
        let catalogue = Catalogue::embedded().unwrap();
        let recipe = catalogue.recipe("quorum").unwrap();
        for wrong in ["", "../22", "a/b", "-x", " 1", "1 2"] {
            assert!(matches!(recipe.source(wrong), Err(Error::Version(..))), "{wrong}");
        }
        assert_eq!(recipe.source("8585ac91f198").unwrap(), Source::Asked("8585ac91f198".into()));
        assert!(matches!(catalogue.recipe("besu").unwrap().source("26.9.0"), Err(Error::NotBuilt(_))));
    }
}
