import Numerics
import Schedules

/// Where a rank's file holds what is spooled of each stage and family.
package struct SpoolLayout: Sendable {
    /// Of the whole file.
    package private(set) var bytes = 0
    private var parts: [Int: [(first: Int, size: Int)]] = [:]

    /// - Parameter sizes: floats of a slot of each family at a stage
    init(_ slots: Slots, stages: [Int], sizes: (_ stage: Int) -> SlotNumbers) {
        for stage in stages {
            let sizes = sizes(stage)
            parts[stage] = SlotFamily.allCases.map { family in
                let size = FloatBuffer.pagedBytes(sizes[family])
                defer { bytes += size * slots.extents[stage][family] }
                return (bytes, size)
            }
        }
    }

    func offset(of order: SpoolOrder) -> Int {
        let part = parts[order.stage]![order.family.rawValue]
        return part.first + order.extent * part.size
    }
}
