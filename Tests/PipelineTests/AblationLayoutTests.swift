import Foundation
import Testing

/// A Gecko without its parts has the same bits in every layout.
@Suite(.serialized) struct AblationLayoutTests {
    private static let ablations: [(name: String, change: @Sendable (inout Harness) -> Void)] = [
        ("no memory", { $0.model.memory = false }),
        ("own chunk", { $0.model.window = .chunk }),
        ("cumulative norm", { $0.model.timestepNorm = .cumulative }),
        ("no EMA", { $0.model.ema = false }),
        (
            "none of them",
            {
                ($0.model.memory, $0.model.window) = (false, .chunk)
                ($0.model.timestepNorm, $0.model.ema) = (.cumulative, false)
            }
        ),
    ]

    @Test(arguments: ablations.map(\.name)) func everyLayoutGivesTheSameBits(_ name: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gecko-parts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var whole = Harness(streams: true)
        whole.model.bosID = 3
        var alone = whole
        let change = try #require(Self.ablations.first { $0.name == name }?.change)
        change(&alone)
        let reference = try await alone.run()
        #expect(try await whole.run().losses != reference.losses)
        let layouts: [(inout Harness) -> Void] = [
            { ($0.stages, $0.recompute, $0.split) = (3, true, true) },
            { ($0.stages, $0.schedule, $0.threads) = (2, "all-forward-all-backward", 2) },
            { ($0.stages, $0.schedule, $0.stash) = (2, "zb-h1", folder.path) },
        ]
        for (i, layout) in layouts.enumerated() {
            var harness = alone
            layout(&harness)
            #expect(try await harness.run() == reference, "layout \(i)")
        }
    }
}
