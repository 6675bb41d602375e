/// How a run ends, for the script that started it: docs/running.md lists them.
package enum ExitStatus {
    /// Something is wrong that starting again will not mend.
    package static let failure: Int32 = 1
    /// Another rank is dead or stuck (EX_UNAVAILABLE). Start again.
    package static let lostPeer: Int32 = 69
    /// A signal asked for it, and the state is saved (EX_TEMPFAIL). Start again.
    package static let requeue: Int32 = 75
}

/// This process ends with `status`, and what there is to say has been said, here or by another rank.
package struct SilentExit: Error {
    package let status: Int32
}
