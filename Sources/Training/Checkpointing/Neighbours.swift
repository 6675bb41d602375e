/// Who keeps whose files beside its own: ranks that share a node-local directory are a house, and each rank's files are
/// copied to a rank of the next house.
package struct Neighbours: Sendable, Equatable {
    /// The ranks of each house, both ascending.
    package let houses: [[Int]]
    private let house: [Int]

    /// - Parameter keys: for each world rank, what names its directory across all nodes
    package init(keys: [String]) {
        var index: [String: Int] = [:]
        var houses: [[Int]] = []
        var house: [Int] = []
        for (rank, key) in keys.enumerated() {
            let number = index[key] ?? houses.count
            if number == houses.count {
                index[key] = number
                houses.append([])
            }
            houses[number].append(rank)
            house.append(number)
        }
        self.houses = houses
        self.house = house
    }

    package func housemates(_ rank: Int) -> [Int] { houses[house[rank]] }

    /// The rank that does for its house what only one should.
    package func isLead(_ rank: Int) -> Bool { housemates(rank)[0] == rank }

    /// The rank that keeps a copy of this one's files; nil when there is one house only.
    package func partner(of rank: Int) -> Int? {
        guard houses.count > 1, let place = housemates(rank).firstIndex(of: rank) else { return nil }
        let next = houses[(house[rank] + 1) % houses.count]
        return next[place % next.count]
    }

    /// The ranks whose files this one keeps a copy of.
    package func clients(of rank: Int) -> [Int] { house.indices.filter { partner(of: $0) == rank } }
}
