import Glibc
import Hardware
import Kernels
import Model
import Numerics
import Pipeline
import Schedules
import Synchronization

final class Alone: Endpoint {
    let rank = 0, size = 1
    func startReceive(into: UnsafeMutableRawBufferPointer, from: Int, tag: Int) throws -> TransferID { fatalError() }
    func startSend(_ bytes: UnsafeRawBufferPointer, to: Int, tag: Int) throws -> TransferID { fatalError() }
    func isComplete(_ id: TransferID) throws -> Bool { true }
    func wait(_ id: TransferID, for what: @autoclosure () -> String) throws {}
    func progress() throws {}
    func allGather(_ values: [Double]) throws -> [[Double]] { [values] }
    func broadcast(_ bytes: [UInt8], from root: Int) throws -> [UInt8] { bytes }
    func barrier() throws {}
}

@main struct Scratch {
    static func main() async throws {
        var c = GeckoConfiguration()
        var L = 4096, slice = 4096
        let args = CommandLine.arguments
        if args.count > 1, args[1] == "S" { c.layers = 6; c.dim = 512; c.zDim = 256; c.valueDim = 1024; c.ffnDim = 1024; c.chunk = 512 }
        if args.count > 2 { slice = Int(args[2])! }
        let threads = args.count > 3 ? Int(args[3])! : 1
        let steps = args.count > 4 ? Int(args[4])! : 3
        let batch = args.count > 5 ? Int(args[5])! : 1
        if args.count > 6 { L = Int(args[6])! }
        let table = try ScheduleRegistry.generator(named: "1f1b").make(ScheduleRequest(ranks: 1, sequences: batch, slices: L / slice))
        let plan = try PipelinePlan(model: c, table: table, partition: .even(layers: c.layers, stages: 1), slice: slice, replicas: 1, streams: false)
        let topology = try Topology()
        let actor = StageActor(executor: try ThreadExecutor(name: "stage"))
        try await actor.start(plan: plan, seed: 1, team: { try Team(topology: topology, cores: Array(topology.usableCores.prefix(threads)), oversubscribed: false) }, endpoint: { Alone() })
        var tokens: [Int32] = [], targets: [Int32] = []
        var s: UInt64 = 88172645463325252
        for _ in 0..<batch * L { s ^= s << 13; s ^= s >> 7; s ^= s << 17; let t = Int32((s & 63) * ((s >> 8) & 63) % 50); tokens.append(t); targets.append((t * 7 + 3) % 256) }
        let b = Batch(tokens: tokens, targets: targets, length: L, countedTargets: batch * L, sequenceNumbers: Array(0..<batch), restarts: Array(repeating: true, count: batch))
        var ts: [Double] = []
        for i in 0..<steps {
            let r = try await actor.step(b, number: i, rule: UpdateRule(adam: AdamW(), rate: 1e-3, clip: 1))
            ts.append(r.seconds)
            print(i, r.loss, r.gradientNorm, r.seconds, Double(batch * L) / r.seconds)
        }
        let best = ts.min()!
        let peak = MultiplyAddPeak.measure { MonotonicClock.seconds }
        print("tok/s", Double(batch * L) / best, "flops/tok", plan.trainingFlopsPerToken, "GF/s", plan.trainingFlopsPerToken * Double(batch * L) / best * 1e-9, "peak", peak * 1e-9, "util", plan.trainingFlopsPerToken * Double(batch * L) / best / peak / Double(threads))
    }
}
