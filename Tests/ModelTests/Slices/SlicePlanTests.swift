import Glibc
import Kernels
import Model
import TestSupport
import Testing

@Suite struct SlicePlanTests {
    static let streams: [RandomStream] =
        [1, 2, 3, 5, 8].flatMap { chunk in
            [nil, 1, 3, 7].map {
                RandomStream(seed: 10 * chunk + ($0 ?? 0), length: 41, chunk: chunk, documentsEvery: $0)
            }
        }
        + [nil, 1, 5].map { documents in
            var stream = RandomStream(seed: 90 + (documents ?? 0), length: 41, chunk: 4, documentsEvery: documents)
            stream.chunks = 1
            return stream
        }

    @Test(arguments: streams) func anyCutFollowsTheRulesTokenByToken(_ stream: RandomStream) {
        let rules = TokenRules(stream)
        var noise = Noise(500)
        for _ in 0..<20 {
            var next = 0
            for plan in stream.plans(stream.randomCut(&noise)) {
                #expect(plan.start == next)
                for piece in plan.pieces {
                    #expect(piece.start == next && piece.start < piece.end)
                    #expect(piece.start / stream.chunk == (piece.end - 1) / stream.chunk)
                    check(piece, of: plan, rules)
                    next = piece.end
                }
                #expect(next == plan.start + plan.length)
            }
            #expect(next == stream.length)
        }
    }

    private func check(_ piece: SlicePlan.Piece, of plan: SlicePlan, _ rules: TokenRules) {
        func document(_ i: Int) -> Int32 { plan.documents[i - plan.windowStart] }
        for i in piece.start..<piece.end {
            #expect((piece.keyStart...i).filter { document($0) == document(i) } == rules.keys(of: i))
            // Without documents everyone reads; the memory is empty until something is absorbed.
            #expect(piece.readers.contains(i) == (rules.stream.bos == nil || rules.reads(i)))
        }
        let c = (piece.end - 1) / plan.chunk
        let completes = piece.end % plan.chunk == 0
        #expect(Array(piece.absorbed) == (completes ? rules.absorbed(whenChunkCompletes: c) : []))
        let wipes =
            completes && c >= rules.stream.chunks - 1 && rules.stream.bos != nil && rules.wipes(whenChunkCompletes: c)
        #expect(piece.wipes == wipes)
    }

    @Test(arguments: streams) func countsRestartAtABosAndCorrectTheAverages(_ stream: RandomStream) {
        let rules = TokenRules(stream)
        for plan in stream.plans([7, 8, 30, stream.length]) {
            for t in 0..<plan.length {
                let i = plan.start + t
                #expect((plan.resets[t] == 1) == (stream.bos?[i] ?? false))
                let n = Double(rules.count(i))
                #expect(abs(Double(plan.meanCorrection[t]) * (1 - pow(0.9, n)) - 1) < 1e-6)
                #expect(abs(Double(plan.varianceCorrection[t]) * (1 - pow(0.95, n)) - 1) < 1e-6)
            }
            #expect(plan.exit.count == rules.count(plan.start + plan.length - 1))
        }
    }

    @Test(arguments: streams) func anyCutLeavesTheSameCursor(_ stream: RandomStream) {
        let whole = stream.cursor(at: stream.length)
        var noise = Noise(501)
        for _ in 0..<50 {
            let ends = stream.randomCut(&noise)
            for plan in stream.plans(ends) { #expect(plan.exit == stream.cursor(at: plan.start + plan.length)) }
            #expect(stream.plans(ends).last?.exit == whole)
        }
        let tokens = stream.plans(Array(1...stream.length))
        #expect(tokens.last?.exit == whole)
    }

    @Test(arguments: streams) func theWindowHoldsTheChunksBeforeAndTheUnfinishedOne(_ stream: RandomStream) {
        for plan in stream.plans([3, 11, 12, 27, stream.length]) {
            let (C, before) = (stream.chunk, stream.chunks - 1)
            #expect(plan.windowStart == max(0, (plan.start / C - before) * C))
            let end = plan.start + plan.length
            #expect(plan.newWindowStart == max(0, (end / C - before) * C))
            #expect(plan.exit.windowDocuments.map(Int.init) == Array(stream.documents[plan.newWindowStart..<end]))
            #expect(plan.documents.map(Int.init) == Array(stream.documents[plan.windowStart..<end]))
            #expect(plan.hasBoundaries == (Set(plan.documents).count > 1))
        }
    }

    @Test(arguments: streams) func tilesBeginAtEveryBosAndAreNeverTooLong(_ stream: RandomStream) {
        for tile in [1, 4, 64] {
            let plan = stream.plan(GeckoCursor.start, length: stream.length, tile: tile)
            let starts = plan.tiles.starts.map(Int.init)
            #expect(starts.first == 0)
            #expect(zip(starts, starts.dropFirst() + [stream.length]).allSatisfy { 1...tile ~= $1 - $0 })
            #expect((0..<stream.length).filter { plan.resets[$0] == 1 }.allSatisfy(starts.contains))
            #expect(plan.tiles.resets == starts.map { plan.resets[$0] })
        }
    }

    @Test func correctionsStayExactForCountsOfMillions() {
        var cursor = GeckoCursor.start
        cursor.count = 3_000_000
        let plan = SlicePlan(chunk: 8, keyDim: 0, ropeBase: 1, beta1: 0.9999999, beta2: 0.9999, tile: 64)
            .moved(to: cursor, length: 1, bos: nil)
        let exact = 1 - exp(3_000_001 * log(0.9999999))
        #expect(abs(Double(plan.meanCorrection[0]) * exact - 1) < 1e-6)
        #expect(plan.varianceCorrection[0] == 1)
    }

    @Test func anglesAreExactAtAMillion() {
        var cursor = GeckoCursor.start
        cursor.position = 1_000_000
        cursor.windowDocuments = [Int32](repeating: 0, count: 8)
        let plan = SlicePlan(chunk: 8, keyDim: 6, ropeBase: 5e5, beta1: 0.9, beta2: 0.9, tile: 64)
            .moved(to: cursor, length: 3, bos: nil)
        for t in 0..<3 {
            for i in 0..<6 {
                let angle = Double(1_000_000 + t) * pow(5e5, -Double(i / 2 * 2) / 6)
                #expect(abs(Double(plan.rotation.cosines[t * 6 + i]) - cos(angle)) < 1e-7)
                #expect(abs(Double(plan.rotation.sines[t * 6 + i]) - (i % 2 == 0 ? -1 : 1) * sin(angle)) < 1e-7)
            }
        }
    }
}
