/// Core numbers written compactly: `0-3,8`.
package struct CoreList: CustomStringConvertible, Sendable {
    package let cores: [Int]

    package init(_ cores: [Int]) { self.cores = cores }

    /// Cores that are many and scattered are counted instead: the text stays short.
    package var short: String {
        let runs = description.split(separator: ",")
        guard runs.count > 8 else { return description }
        return runs.prefix(4).joined(separator: ",") + ",... (\(Set(cores).count) cores)"
    }

    package var description: String {
        var runs: [ClosedRange<Int>] = []
        for core in Set(cores).sorted() {
            if let last = runs.last, last.upperBound + 1 == core {
                runs[runs.count - 1] = last.lowerBound...core
            } else {
                runs.append(core...core)
            }
        }
        if runs.isEmpty { return "none" }
        return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}
