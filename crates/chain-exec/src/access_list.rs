//! `eth_createAccessList`.

use alloy_eips::eip2930::AccessListResult;
use alloy_evm::Evm;
use alloy_primitives::U256;
use alloy_rpc_types_eth::TransactionRequest;
use revm_inspectors::access_list::AccessListInspector;

use crate::{CallContext, CallError, Executor, call};

/// Runs before an access list that still changes is taken as it is.
const ROUNDS: usize = 16;

impl Executor {
    /// `eth_createAccessList`: what the request reads and writes beside its sender, its receiver and
    /// precompiles, and the gas that it uses when it lists that. A request that reverts or halts still
    /// has a list; the result names the error.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn create_access_list(
        &self,
        context: &CallContext<'_>,
        request: TransactionRequest,
    ) -> Result<AccessListResult, CallError> {
        let given = request.access_list.clone().unwrap_or_default();
        let (mut stage, mut tx) = self.prepare(context, request, AccessListInspector::new(given))?;
        if tx.tx_type == 0 {
            tx.tx_type = 1;
        }
        let mut rounds = ROUNDS;
        loop {
            // With a list other branches may be taken, by the gas that is left: run until it stands.
            let result = stage.run(tx.clone())?.result;
            let list = stage.machine.inspector().1.access_list();
            rounds -= 1;
            if list == tx.access_list || rounds == 0 {
                let gas_used = U256::from(result.tx_gas_used());
                let error = call::outcome(result, stage.watch()).err().map(|error| error.to_string());
                return Ok(AccessListResult { access_list: list, gas_used, error });
            }
            stage.machine.inspector_mut().1 = AccessListInspector::new(list.clone());
            tx.access_list = list;
        }
    }
}
