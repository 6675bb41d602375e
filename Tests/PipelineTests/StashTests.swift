import Foundation
import Pipeline
import Schedules
import Testing

/// With the stash on a disk a run trains to the bits of a run with the stash in memory.
@Suite(.serialized) struct StashTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gecko-stash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    private func harness(_ schedule: String = "1f1b") -> Harness {
        var harness = Harness(schedule: schedule)
        harness.model.layers = 6
        harness.slices = 8
        harness.sequences = 2
        harness.steps = 2
        return harness
    }

    static let reference = Task {
        var harness = Harness()
        harness.model.layers = 6
        harness.slices = 8
        harness.sequences = 2
        harness.steps = 2
        return try await harness.run()
    }

    @Test(arguments: ScheduleRegistry.all.map(\.name), [1, 2])
    func everySchedule(schedule: String, ranks: Int) async throws {
        let expected = try await Self.reference.value
        try await withFolder { folder in
            var harness = harness(schedule)
            harness.stages = ranks
            harness.stash = folder
            let plain = try harness.plan()
            #expect(plain.slots.extents.contains { $0.full > 0 })
            let found = try await harness.run()
            #expect(found == expected)
            harness.recompute = true
            let light = try harness.plan()
            #expect(light.slots.extents.contains { $0.light > 0 })
            let recomputed = try await harness.run()
            #expect(recomputed == expected)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left.isEmpty)
        }
    }

    @Test func weightGradientsApart() async throws {
        let expected = try await Self.reference.value
        try await withFolder { folder in
            var harness = harness("all-forward-all-backward")
            harness.stash = folder
            harness.split = true
            harness.threads = 2
            let found = try await harness.run()
            #expect(found == expected)
        }
    }

    @Test func streamsGoOnFromStepToStep() async throws {
        try await withFolder { folder in
            var harness = harness()
            harness.streams = true
            let expected = try await harness.run()
            harness.stash = folder
            harness.stages = 2
            let found = try await harness.run()
            #expect(found == expected)
        }
    }

    @Test func aFolderThatIsNotThereIsNamed() async throws {
        try await withFolder { folder in
            var harness = harness()
            harness.stash = "\(folder)/none"
            do {
                _ = try await harness.run()
                Issue.record("a stash in a folder that isn't there")
            } catch {
                let text = "\(error)"
                #expect(text.contains("rank 0") && text.contains("\(folder)/none"), "\(text)")
                #expect(text.contains("pipeline.stash_directory"), "\(text)")
            }
        }
    }

    @Test func aDiskThatIsTooSmallIsTold() async throws {
        try await withFolder { folder in
            let error = #expect(throws: (any Error).self) { try SpoolFile(directory: folder, bytes: 1 << 60) }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains("needs 1 EiB of \(folder)") && text.contains("are free"), "\(text)")
            #expect(text.contains("pipeline.recompute"), "\(text)")
        }
    }
}
