import Hardware
import Numerics
import Schedules

/// The part of a rank's stash that is spooled to disk: which transfer each slot waits for.
final class StashSpool {
    private let spool: Spool
    private let orders: [[SpoolOrder]]
    private let layout: SpoolLayout
    /// The number of each slot's latest transfer.
    private var latest: [Key: Int] = [:]

    private struct Key: Hashable {
        let stage: Int
        let family: SlotFamily
        let slot: Int
    }

    /// Nil if all that the rank keeps has room in memory.
    init?(_ plan: PipelinePlan, rank: Int, worldRank: Int, workers: Int) throws {
        guard let directory = plan.stashDirectory else { return nil }
        layout = plan.spoolLayout(of: rank, workers: workers)
        guard layout.bytes > 0 else { return nil }
        orders = plan.slots.orders[rank]
        do {
            spool = try Spool(directory: directory, bytes: layout.bytes, rank: worldRank)
        } catch {
            throw PipelineError("rank \(worldRank): \(error)")
        }
    }

    /// Asks for what the table orders after the action at `position`.
    func carryOut(after position: Int, in memory: (_ stage: Int) -> StageSlots) {
        for order in orders[position] {
            latest[Key(stage: order.stage, family: order.family, slot: order.slot)] = spool.ask(
                order.kind == .store ? .store : .fetch, memory(order.stage).pages(order.family, order.slot),
                at: layout.offset(of: order))
        }
    }

    /// Waits until the slots that an action uses are its own; `meanwhile` is called again and again.
    func wait(for slots: SlotNumbers, of stage: Int, meanwhile: () -> Void) throws {
        for family in SlotFamily.allCases where slots[family] >= 0 {
            guard let number = latest[Key(stage: stage, family: family, slot: slots[family])] else { continue }
            while try !spool.isDone(number) {
                meanwhile()
                spool.sleep(until: number)
            }
        }
    }
}
