import Glibc

/// The time that a container or a job may take of the processors, in cores: half a core's worth is 0.5, however many
/// cores it may run on.
package struct CPUQuota: Sendable, Equatable {
    package let cores: Double
    /// The file that sets it.
    package let file: String
    /// The same for processes that share the quota; nil where the file is no longer there.
    let group: UInt64?

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
    /// As numbers that ranks can gather: cores and group; what has no quota sends zeros.
    package static func numbers(_ quota: CPUQuota?) -> [Double] {
        // An inode's number is far below 2^53.
        [quota?.cores ?? 0, Double(quota?.group ?? 0)]
    }

    /// Most threads of each of a node's ranks under their quotas, which those of one group share; nil where there is
    /// none.
    package static func shares(_ ranks: [[Double]]) -> [Int?] {
        ranks.map { rank in
            guard rank.count == 2, rank[0] > 0 else { return nil }
            let sharing = rank[1] == 0 ? 1 : ranks.count { $0 == rank }
            return max(1, CPUQuota(cores: rank[0], file: "").threads / sharing)
        }
    }
}
