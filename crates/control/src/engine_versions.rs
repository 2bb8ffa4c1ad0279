//! Versions of engines' programs: what there is, installing, adding, removing.

use engines::{Build, Catalogue, Installed, Origin, Recipe};
use store::{Connection, NewAudit, networks, operations};
use types::{
    Code, ConsensusKind, Engine, EngineVersion, GivenEngineVersion, InstallableEngine, NewEngineVersion, Operation,
    Page, Permission,
};

use crate::idempotency::{self, Idempotency};
use crate::operations::{Change, Subject, new_operation};
use crate::{Caller, Control, Error, Result};

impl Control {
    /// What can be installed and what is.
    pub fn installable_engines(&self, caller: &Caller) -> Result<Page<InstallableEngine>> {
        caller.require(Permission::EnginesRead)?;
        let catalogue = Catalogue::embedded()?;
        let engines = catalogue.recipes().iter().map(|recipe| {
            Ok(InstallableEngine {
                name: recipe.name.clone(),
                maintenance: recipe.maintenance.clone(),
                buildable: recipe.go.is_some(),
                programs: recipe.programs.clone(),
                versions: self.versions_of(recipe)?,
            })
        });
        Ok(Page { items: engines.collect::<Result<_>>()?, next: None })
    }

    /// Takes the programs of a directory.
    ///
    /// # Errors
    /// `network.engine`, `engine.version`, `engine.programs`.
    pub async fn add_engine(&self, caller: &Caller, given: &GivenEngineVersion) -> Result<EngineVersion> {
        caller.require(Permission::EnginesWrite)?;
        let catalogue = Catalogue::embedded()?;
        let recipe = catalogue.recipe(&given.engine)?;
        let id = id(&recipe.name, &given.version);
        self.refuse_while_installing(&mut *self.store().read().await?, &id).await?;
        let installed = self.0.engines.add(recipe, &given.version, given.path.as_ref())?;
        let mut tx = self.store().begin().await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "engine.add",
            subject: format!("engine {id}"),
            organisation: None,
            details: serde_json::json!({"path": given.path, "programs": installed.programs}),
        });
        tx.change("engine", &id, None);
        tx.commit().await?;
        Ok(shown(recipe, &given.version, Some(&installed)))
    }

    /// Builds a version. The answer comes at once; the operation does the work.
    ///
    /// # Errors
    /// `network.engine`, `engine.version`, `operation.state` while it is being built.
    pub async fn install_engine(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        new: &NewEngineVersion,
    ) -> Result<Operation> {
        caller.require(Permission::EnginesWrite)?;
        let catalogue = Catalogue::embedded()?;
        let recipe = catalogue.recipe(&new.engine)?;
        let newest = recipe.newest_tested(|_| true);
        // Of what is not built there is none: asking for its source says why.
        let version = new.version.as_deref().or(newest).unwrap_or_default();
        let mut tx = self.store().begin().await?;
        if let Some(answer) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(answer);
        }
        recipe.source(version)?;
        let id = id(&recipe.name, version);
        self.refuse_while_installing(&mut tx, &id).await?;
        let subject = Subject { id: &id, name: &id, scope: &id, consortium: "" };
        let operation = new_operation(Change::InstallEngine, &subject, caller);
        operations::insert(&mut tx, &operation).await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: Change::InstallEngine.kind(),
            subject: format!("engine {id}"),
            organisation: None,
            details: serde_json::json!({}),
        });
        tx.change("operation", &operation.shown.id, None);
        idempotency::record(&mut tx, caller, idempotency, &operation.shown).await?;
        tx.commit().await?;
        self.runtime().operations_due.notify_one();
        Ok(operation.shown)
    }

    async fn refuse_while_installing(&self, read: &mut Connection, id: &str) -> Result<()> {
        match operations::active_of(read, id).await? {
            Some(active) => Err(Error::new(
                Code::OperationState,
                format!("The operation {} installs {id}. Wait for it or undo it.", active.shown.id),
            )),
            None => Ok(()),
        }
    }

    /// Removes a version, `ENGINE@VERSION`. An operator's own programs stay where they are.
    ///
    /// # Errors
    /// `in_use` while a network runs it, `not_found`.
    pub async fn remove_engine(&self, caller: &Caller, id: &str) -> Result<()> {
        caller.require(Permission::EnginesWrite)?;
        let (engine, version) = split(id)?;
        let mut tx = self.store().begin().await?;
        let users: Vec<String> = networks::list(&mut tx, None, "", i64::MAX)
            .await?
            .into_iter()
            .filter(|network| {
                (network.engine == engine && network.spec["version"] == version)
                    || network.spec["engines"][engine] == version
            })
            .map(|network| network.name)
            .collect();
        if !users.is_empty() {
            return Err(Error::new(
                Code::InUse,
                format!("{id} runs the networks {}. Delete them first.", users.join(", ")),
            ));
        }
        self.refuse_while_installing(&mut tx, id).await?;
        if !self.0.engines.installed(engine)?.iter().any(|installed| installed.version == version) {
            return Err(Error::not_found("installed version", id));
        }
        self.0.engines.remove(engine, version)?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "engine.remove",
            subject: format!("engine {id}"),
            organisation: None,
            details: serde_json::json!({}),
        });
        tx.change("engine", id, None);
        Ok(tx.commit().await?)
    }

    /// The build that an operation drives, by the version's id.
    pub(crate) fn engine_build(&self, id: &str) -> Result<Build> {
        let (engine, version) = split(id)?;
        let catalogue = Catalogue::embedded()?;
        let recipe = catalogue.recipe(engine)?;
        Ok(Build::new(self.0.engines.clone(), recipe, version, self.0.toolchain.clone())?)
    }

    /// Fills in what is known of an engine's versions.
    pub(crate) fn add_versions(&self, engine: &mut Engine) -> Result<()> {
        let catalogue = Catalogue::embedded()?;
        if engine.version.is_none()
            && let Ok(recipe) = catalogue.recipe(&engine.name)
        {
            engine.maintenance.clone_from(&recipe.maintenance);
            engine.versions = self.versions_of(recipe)?;
        }
        Ok(())
    }

    /// The version that a new network runs; none when the engine's programs come with Polder. One that is asked for is taken
    /// also when it does not have the consensus: the planner says so.
    ///
    /// # Errors
    /// `engine.missing` when it, or any, is not installed.
    pub(crate) fn settle_version(
        &self,
        engine: &Engine,
        consensus: Option<&ConsensusKind>,
        asked: Option<&str>,
    ) -> Result<Option<String>> {
        let missing = |detail| Error::field(Code::EngineMissing, "version", detail);
        if let Some(own) = &engine.version {
            return match asked.filter(|asked| asked != own) {
                Some(asked) => {
                    Err(missing(format!("{} comes with Polder in version {own}; {asked} cannot be had.", engine.title)))
                }
                None => Ok(None),
            };
        }
        let fits = |version: &str| consensus.is_none_or(|kind| kind.is_in(version));
        if let Some(found) = self.installed_version(&engine.name, asked, fits)? {
            return Ok(Some(found));
        }
        let catalogue = Catalogue::embedded()?;
        let known = catalogue.recipe(&engine.name).ok().and_then(|recipe| recipe.newest_tested(fits));
        let what = asked.or(known).map_or_else(|| engine.name.clone(), |version| id(&engine.name, version));
        Err(missing(not_installed(&what)))
    }

    /// The version of another engine whose programs a new network runs beside its own.
    ///
    /// # Errors
    /// `engine.missing` when none is installed.
    pub(crate) fn settle_other_engine(&self, name: &str) -> Result<String> {
        let missing = || Error::field(Code::EngineMissing, "options", not_installed(name));
        self.installed_version(name, None, |_| true)?.ok_or_else(missing)
    }

    /// The version that is asked for, else the one that is tested best; none when it is not installed.
    fn installed_version(
        &self,
        engine: &str,
        asked: Option<&str>,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<String>> {
        let mut installed = self.0.engines.installed(engine)?;
        let found = match asked {
            Some(asked) => installed.iter().find(|installed| installed.version == asked),
            None => {
                installed.retain(|installed| fits(&installed.version));
                let catalogue = Catalogue::embedded()?;
                let newest = catalogue.recipe(engine).ok().and_then(|recipe| recipe.newest_tested(fits));
                let newest = installed.iter().find(|installed| Some(installed.version.as_str()) == newest);
                newest.or(installed.iter().find(|installed| installed.tested)).or(installed.first())
            }
        };
        Ok(found.map(|found| found.version.clone()))
    }

    fn versions_of(&self, recipe: &Recipe) -> Result<Vec<EngineVersion>> {
        let installed = self.0.engines.installed(&recipe.name)?;
        let here = installed.iter().map(|installed| shown(recipe, &installed.version, Some(installed)));
        let known = recipe
            .versions()
            .filter(|version| !installed.iter().any(|installed| installed.version == *version))
            .map(|version| shown(recipe, version, None));
        Ok(here.chain(known).collect())
    }
}

fn not_installed(what: &str) -> String {
    format!(
        "The programs of {what} are not installed. A platform administrator installs them with `polder engine install {what}`, or names their place with `polder engine add {what} --path DIR`."
    )
}

fn id(engine: &str, version: &str) -> String {
    format!("{engine}@{version}")
}

fn split(id: &str) -> Result<(&str, &str)> {
    id.split_once('@').ok_or_else(|| Error::not_found("version of an engine", id))
}

fn shown(recipe: &Recipe, version: &str, installed: Option<&Installed>) -> EngineVersion {
    EngineVersion {
        id: id(&recipe.name, version),
        engine: recipe.name.clone(),
        version: version.into(),
        installed: installed.is_some(),
        tested: installed.map_or_else(|| recipe.is_tested(version), |installed| installed.tested),
        origin: installed.map(|installed| match &installed.origin {
            Origin::Built { module, .. } => module.clone(),
            Origin::Given { path } => path.display().to_string(),
        }),
        programs: installed.map(|installed| installed.programs.clone()).unwrap_or_default(),
        installed_at: installed.map(|installed| installed.installed_at),
    }
}
