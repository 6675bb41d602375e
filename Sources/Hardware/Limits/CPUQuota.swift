import Glibc

/// The time that a container or a job may take of the processors, in cores: half a core's worth is 0.5, however many
/// cores it may run on.
package struct CPUQuota: Sendable, Equatable {
    package let cores: Double
    /// The file that sets it.
    package let file: String
    /// The same for processes that share the quota; nil where the file is no longer there.
    package let group: UInt64?

    package init(cores: Double, file: String, group: UInt64? = nil) {
        self.cores = cores
        self.file = file
        self.group = group
    }

    /// This process'; nil if there is none.
    package static var own: CPUQuota? {
        guard let limit = ControlGroups.own.cpu else { return nil }
        var status = stat()
        return CPUQuota(
            cores: limit.value, file: limit.file, group: stat(limit.file, &status) == 0 ? UInt64(status.st_ino) : nil)
    }

    /// Threads that can have a core each for most of the time.
    package var threads: Int { max(1, Int(min(cores, 1e6).rounded(.up))) }

    package var description: String {
        let rounded = (cores * 100).rounded() / 100
        return "\(rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)") core(s) by \(file)"
    }
}

extension CPUQuota {
    /// Whether two processes have one quota together.
    package func isShared(with other: CPUQuota?) -> Bool {
        group != nil && group == other?.group && cores == other?.cores
    }

    /// Most threads of each of a node's ranks under their quotas, which those of one group share; nil where there is
    /// none.
    package static func shares(_ ranks: [CPUQuota?]) -> [Int?] {
        ranks.map { own in own.map { max(1, $0.threads / $0.sharers(among: ranks)) } }
    }

    /// How many of a node's ranks have this quota, the one that has it included.
    package func sharers(among ranks: [CPUQuota?]) -> Int { max(1, ranks.count { isShared(with: $0) }) }
}
