//! The accounts that the platform holds for members on networks, and who may use them.

use store::Connection;
use store::accounts::Account;
use store::networks::Network;
use types::{Code, Page, PageQuery, Permission};

use crate::networks::network_spec;
use crate::paging::Paging;
use crate::{Caller, Control, Error, Result};

impl Control {
    /// The members' accounts on a network, with what they own as far as a node answers.
    pub async fn accounts(&self, caller: &Caller, network: &str, query: &PageQuery) -> Result<Page<types::Account>> {
        let paging = Paging::new("accounts", query)?;
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::LedgerRead, network).await?.network;
        let mut accounts = store::accounts::of_network(&mut read, &network.id).await?;
        drop(read);
        accounts.sort_by(|a, b| a.id.cmp(&b.id));
        accounts.retain(|account| paging.after().is_none_or(|after| account.id.as_str() > after));
        accounts.truncate(paging.fetch() as usize);
        let members = network_spec(&network)?.accounts;
        let ledger = self.ledger_of(&network).await?;
        let shown = accounts.into_iter().map(|account| {
            let ledger = ledger.clone();
            let member = members
                .iter()
                .find(|spec| spec.address == account.address)
                .map(|spec| spec.member.clone())
                .unwrap_or_default();
            async move {
                // A network that is stopped still has accounts to show.
                let state = ledger.address(&account.address).await.ok();
                types::Account {
                    usable: caller.has_for(Permission::LedgerWrite, &account.organisation),
                    id: account.id,
                    network: account.network,
                    member,
                    organisation: account.organisation,
                    address: account.address,
                    balance: state.as_ref().and_then(|state| state.balance.clone()),
                    nonce: state.as_ref().and_then(|state| state.nonce),
                }
            }
        });
        let shown = futures::future::join_all(shown).await;
        Ok(paging.page(shown, |account| account.id.clone()))
    }

    /// The account that is to sign: by its id, its address, its member's name or organisation; with nothing named, the only one
    /// that the caller may use.
    ///
    /// # Errors
    /// `account.forbidden` when it belongs to a member that the caller does not act for.
    pub(crate) async fn choose_account(
        &self,
        read: &mut Connection,
        caller: &Caller,
        network: &Network,
        from: Option<&str>,
    ) -> Result<Account> {
        let accounts = store::accounts::of_network(read, &network.id).await?;
        let members = network_spec(network)?.accounts;
        let member = |account: &Account| {
            members
                .iter()
                .find(|spec| spec.address == account.address)
                .map(|spec| spec.member.clone())
                .unwrap_or_default()
        };
        let usable = |account: &Account| caller.has_for(Permission::LedgerWrite, &account.organisation);
        if let Some(from) = from {
            let account = accounts
                .into_iter()
                .find(|account| {
                    account.id == from || account.organisation == from || account.address.eq_ignore_ascii_case(from) || member(account) == from
                })
                .ok_or_else(|| Error::field(Code::NotFound, "from", format!("The network {} has no account “{from}”. Give an account's id, its address or a member's name.", network.name)))?;
            if usable(&account) {
                return Ok(account);
            }
            return Err(Error::field(
                Code::AccountForbidden,
                "from",
                format!(
                    "The account belongs to {}. Only its developers and administrators may use it; sign with a key of your own instead.",
                    member(&account)
                ),
            ));
        }
        let mut own: Vec<Account> = accounts.into_iter().filter(usable).collect();
        match own.len() {
            1 => Ok(own.remove(0)),
            0 => Err(Error::new(
                Code::AccountForbidden,
                "You act for no member of this network, so there is no account for you to use. Sign with a key of your own instead.",
            )),
            _ => {
                let names: Vec<String> = own.iter().map(member).collect();
                Err(Error::field(
                    Code::NameAmbiguous,
                    "from",
                    format!("You may use several accounts. Say which one: {}.", names.join(", ")),
                ))
            }
        }
    }
}
