/// A transfer between a slot and its place on disk.
public struct SpoolOrder: Equatable, Sendable {
    /// Out to the disk or back.
    public enum Kind: Sendable { case store, fetch }

    /// Which way.
    public let kind: Kind
    /// What the slot is for.
    public let family: SlotFamily
    /// Whose slot it is.
    public let stage: Int
    /// Its number within the family.
    public let slot: Int
    /// The place on disk, among those of the family at the stage.
    public let extent: Int
}

/// A fixed number of slots for uses that would like more: what is needed last is stored, what is needed next is
/// fetched.
///
/// The uses are known to the end, so the best rule is known too (Belady; Cao et al., "A study of integrated prefetching
/// and caching strategies", 1995): as soon as a unit in some slot is needed later than the next one that has no slot,
/// it makes room for it. A store is ordered right after the unit's last use, so it has all the time until its slot is
/// taken; a fetch as soon as a slot is free for it. Carried out in order, by one hand, the orders need no other rule:
/// whoever uses a slot waits for the slot's latest order.
struct SpooledSlots {
    struct Order {
        let position: Int
        let kind: SpoolOrder.Kind
        let content: Int
        let slot: Int
        var extent = -1
    }

    /// The slot of each use.
    private(set) var slots: [Int] = []
    /// By position; at one position stores come first.
    private(set) var orders: [Order] = []
    /// Places on disk that are taken at once.
    private(set) var extents = 0

    private struct Resident {
        let content: Int
        let slot: Int
        /// Its latest use so far and its next one.
        var latest: Int
        var next: Int
    }

    private let uses: [SlotUse]
    /// What each use finds or leaves in its slot, numbered: a recomputed unit fills a slot twice, with nothing in
    /// between.
    private let contents: [Int]
    private var residents: [Resident] = []
    private var free: [Int]
    /// Uses before this one have their slot.
    private var secured = 0

    init(_ uses: [SlotUse], limit: Int) {
        precondition(limit > 0, "a unit needs a slot while it is used")
        self.uses = uses
        free = (0..<limit).reversed()
        contents = Self.contents(uses)
        let following = Self.following(uses, contents)
        secure(after: -1)
        for (i, use) in uses.enumerated() {
            let r = residents.firstIndex { $0.content == contents[i] }!
            slots.append(residents[r].slot)
            if use.isLast {
                free.append(residents.remove(at: r).slot)
            } else {
                residents[r].latest = i
                residents[r].next = following[i]
            }
            secure(after: i)
        }
        placeOnDisk()
    }

    private static func contents(_ uses: [SlotUse]) -> [Int] {
        var latest: [Int: Int] = [:]
        var count = 0
        return uses.map { use in
            if use.isFirst {
                latest[use.unit] = count
                count += 1
            }
            return latest[use.unit]!
        }
    }

    /// For each use the next one of the same content.
    private static func following(_ uses: [SlotUse], _ contents: [Int]) -> [Int] {
        var next: [Int: Int] = [:]
        var result = [Int](repeating: .max, count: uses.count)
        for (i, use) in uses.enumerated().reversed() {
            if !use.isLast { result[i] = next[contents[i]]! }
            next[contents[i]] = i
        }
        return result
    }

    /// Gives slots to the uses to come, as far as they can be had once use `i` is done.
    private mutating func secure(after i: Int) {
        while secured < uses.count {
            let use = uses[secured]
            let content = contents[secured]
            if !residents.contains(where: { $0.content == content }) {
                guard let slot = free.popLast() ?? evict(for: secured) else { return }
                if !use.isFirst {
                    orders.append(Order(position: uses[i].position, kind: .fetch, content: content, slot: slot))
                }
                residents.append(Resident(content: content, slot: slot, latest: -1, next: secured))
            }
            secured += 1
        }
    }

    /// The slot of the unit that is needed last, if it is needed after use `j`.
    private mutating func evict(for j: Int) -> Int? {
        guard let r = residents.indices.max(by: { residents[$0].next < residents[$1].next }), residents[r].next > j
        else { return nil }
        let victim = residents.remove(at: r)
        orders.append(
            Order(position: uses[victim.latest].position, kind: .store, content: victim.content, slot: victim.slot))
        return victim.slot
    }

    /// Sorts the orders and gives every stored unit a place until it is fetched.
    private mutating func placeOnDisk() {
        let sorted = orders.enumerated().sorted {
            ($0.element.position, $0.element.kind == .store ? 0 : 1, $0.offset)
                < ($1.element.position, $1.element.kind == .store ? 0 : 1, $1.offset)
        }
        orders = sorted.map(\.element)
        var pool = SlotPool()
        var held: [Int: Int] = [:]
        for (i, order) in orders.enumerated() {
            switch order.kind {
            case .store:
                orders[i].extent = pool.take()
                held[order.content] = orders[i].extent
            case .fetch:
                orders[i].extent = held.removeValue(forKey: order.content)!
                pool.giveBack(orders[i].extent)
            }
        }
        extents = pool.count
    }
}
