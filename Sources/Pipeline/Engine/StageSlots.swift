import Numerics
import Schedules

/// The memory of a stage's slots, in slots of one size for each family.
final class StageSlots {
    private let buffers: [[FloatBuffer]]

    /// - Parameters:
    ///   - sizes: floats of a slot of each family
    ///   - counts: slots of each family
    ///   - paged: for direct access by a spool
    init(_ sizes: SlotNumbers, counts: SlotNumbers, paged: Bool) {
        buffers = SlotFamily.allCases.map { family in
            (0..<counts[family]).map { _ in FloatBuffer(sizes[family], paged: paged) }
        }
    }

    subscript(_ family: SlotFamily, _ slot: Int) -> UnsafeMutablePointer<Float> {
        buffers[family.rawValue][slot].base
    }

    /// A slot's whole pages, if they are paged.
    func pages(_ family: SlotFamily, _ slot: Int) -> UnsafeMutableRawBufferPointer {
        buffers[family.rawValue][slot].pages
    }
}
