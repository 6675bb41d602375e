/// Ranks by a time: a binary heap, ties by rank so that runs repeat exactly.
struct TimeQueue {
    private var heap: [(time: Double, rank: Int)] = []

    private static func precedes(_ a: (time: Double, rank: Int), _ b: (time: Double, rank: Int)) -> Bool {
        a.time != b.time ? a.time < b.time : a.rank < b.rank
    }

    mutating func insert(_ rank: Int, at time: Double) {
        heap.append((time, rank))
        var child = heap.count - 1
        while child > 0, Self.precedes(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() -> (time: Double, rank: Int)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && Self.precedes(heap[child], heap[least]) { least = child }
                if least == parent { break }
                heap.swapAt(parent, least)
                parent = least
            }
        }
        return first
    }
}
