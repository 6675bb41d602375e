import Foundation

/// Where what slices keep for their backward waits.
package enum StashPlace: String, Sendable, CaseIterable {
    case memory, disk

    /// The folder for a configured one; empty takes the node's own for temporary files, on a disk rather than in
    /// memory.
    static func directory(_ configured: String) -> String {
        if !configured.isEmpty { return configured }
        let temporary = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        return temporary.isEmpty ? "/var/tmp" : temporary
    }
}
