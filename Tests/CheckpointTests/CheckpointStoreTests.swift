import Checkpoints
import Files
import Foundation
import Testing

@Suite struct CheckpointStoreTests {
    /// Writes a whole checkpoint with one file.
    @discardableResult
    private func save(
        _ store: CheckpointStore, _ step: Int, _ value: Float = 1, run: Manifest.Run? = nil
    ) throws -> Manifest {
        try store.begin(step)
        let writer = try SafetensorsWriter("\(store.path(step))/rank-0000.safetensors", [.init("x", .float32, [1000])])
        try writer.write("x", [Float](repeating: value, count: 1000))
        let (size, sha256) = try writer.finish()
        var manifest = ManifestTests.sample
        manifest.progress.step = step
        manifest.run = run
        manifest.files = [.init(name: "rank-0000.safetensors", rank: 0, size: size, sha256: try #require(sha256))]
        try store.commit(manifest)
        return manifest
    }

    private func steps(_ store: CheckpointStore) throws -> [Int] {
        try store.entries().compactMap { $0.manifest?.step }
    }

    @Test func `the writer's digest is the file's`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder.file("a/b"))
        // A store that is gone is not begun anew somewhere in a run's middle.
        #expect(throws: FileError.self) { try store.begin(5) }
        try store.checkWritable()
        let manifest = try save(store, 5)
        let path = "\(store.path(5))/rank-0000.safetensors"
        #expect(try FileDigest.sha256(path).sha256 == manifest.files[0].sha256)
        try store.verify(manifest.files[0], step: 5)
        #expect(try steps(store) == [5])
    }

    @Test func `damage is found and named`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder.path)
        let file = try save(store, 7).files[0]
        let path = "\(store.path(7))/rank-0000.safetensors"
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        func check(_ word: String, _ change: () throws -> Void) throws {
            try change()
            let error = #expect(throws: ManifestError.self) { try store.verify(file, step: 7) }
            #expect(error?.description.contains(word) == true)
            #expect(error?.description.contains(path) == true)
            try good.write(to: URL(fileURLWithPath: path))
            try store.verify(file, step: 7)
        }
        try check("cut off") { try good.dropLast().write(to: URL(fileURLWithPath: path)) }
        try check("sha256") {
            var bad = good
            bad[bad.count / 2] ^= 4
            try bad.write(to: URL(fileURLWithPath: path))
        }
        try check("missing") { try FileManager.default.removeItem(atPath: path) }
        // Another step's folder under this name.
        try FileManager.default.copyItem(atPath: store.path(7), toPath: store.path(8))
        guard case .damaged(let reason) = store.entry(8).state else {
            Issue.record("a foreign manifest passed")
            return
        }
        #expect(reason.contains("of step 7"))
    }

    @Test func `only a manifest makes a checkpoint`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder.path)
        #expect(try store.entries().isEmpty)
        try save(store, 1)
        try store.begin(2)
        _ = try folder.write("step-9", [1])
        _ = try folder.write("notes.txt", [1])
        let entries = try store.entries()
        #expect(entries.map(\.step) == [1, 2])
        #expect(entries[1].manifest == nil)
    }

    @Test func `a second attempt takes the place of what the first left`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder.path)
        try save(store, 3)
        _ = try folder.write("step-00000003/rank-0007.safetensors", [1])
        _ = try folder.write("step-00000003/rank-0000.safetensors.partial.99", [1])
        try store.begin(3)
        #expect(try steps(store) == [])
        let manifest = try save(store, 3, 2)
        #expect(try Folder.contents(store.path(3)) == ["manifest.json", "rank-0000.safetensors"])
        try store.verify(manifest.files[0], step: 3)
    }

    @Test func `clean-up keeps the newest, every so many-th, and never what is newer`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder.path)
        for step in stride(from: 10, through: 100, by: 10) { try save(store, step) }
        try store.begin(55)
        _ = try folder.write("removing-00000005", [])
        try FileManager.default.removeItem(atPath: folder.file("removing-00000005"))
        try FileManager.default.createDirectory(
            atPath: folder.file("removing-00000005"), withIntermediateDirectories: false)
        _ = try folder.write("removing-00000005/x", [1])
        try store.cleanUp(after: 90, Retention(keep: 2, everyKept: 40))
        #expect(try steps(store) == [40, 80, 90, 100])
        #expect(
            try folder.contents == ["step-00000040", "step-00000080", "step-00000090", "step-00000100"])
    }

    @Test func `the newest whole one stays though newer ones are damaged`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder.path)
        for step in [10, 20, 30] { try save(store, step) }
        _ = try folder.write("step-00000030/rank-0000.safetensors", [1, 2, 3])
        try store.cleanUp(after: 20, Retention(keep: 1, everyKept: 0))
        #expect(try steps(store) == [20])
        // For its owner to look at.
        #expect(FileManager.default.fileExists(atPath: store.path(30)))
    }

    @Test func `retention`() {
        let retention = Retention(keep: 3, everyKept: 100)
        #expect(retention.expendable([50, 100, 150, 200, 250, 300, 350], newest: 350) == [50, 150])
        #expect(Retention(keep: 0, everyKept: 0).expendable([1, 2], newest: 2) == [1])
        // Steps that aren't multiples: the first of each stretch stays.
        #expect(retention.expendable([99, 101, 150, 202, 250, 260, 270], newest: 270) == [99, 150])
        #expect(Retention(keep: 1, everyKept: 0).expendable([], newest: 5) == [])
    }

    @Test func `a folder that cannot be written is named`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("file", [])
        let error = #expect(throws: FileError.self) { try CheckpointStore("\(file)/x").checkWritable() }
        #expect(error?.description.contains(file) == true)
        try CheckpointStore(folder.file("new/x")).checkWritable()
        #expect(try Folder.contents(folder.file("new/x")).isEmpty)
    }

    @Test func `what belongs to another run neither counts nor goes, whatever an owner does`() throws {
        let folder = try TemporaryFolder()
        let mine = Manifest.Run(id: "me", directory: "/runs/me")
        let other = Manifest.Run(id: "you", directory: "/runs/you")
        let all = CheckpointStore(folder.path)
        let store = CheckpointStore(folder.path, owner: CheckpointOwner(run: mine, replaced: ["gone"]))
        for step in [10, 30, 50] { try save(all, step, run: mine) }
        for step in [20, 60] { try save(all, step, run: other) }
        try save(all, 25, run: nil)
        try save(all, 40, run: Manifest.Run(id: "gone", directory: "/runs/me"))
        #expect(try steps(store) == [10, 30, 50] && steps(all) == [10, 20, 25, 30, 40, 50, 60])
        #expect(try store.newest()?.step == 50 && store.foreign()?.run == other)
        #expect(try store.manifests().map(\.step) == [10, 30, 50])
        for step in [20, 25, 60] {
            #expect(throws: FileError.self) { try store.begin(step) }
            #expect(throws: FileError.self) { try store.abandon(step) }
        }
        try store.cleanUp(after: 50, Retention(keep: 1, everyKept: 0))
        // What is left of a run that this one has replaced goes, too.
        #expect(try steps(all) == [20, 25, 50, 60])
        try store.cleanUpLeftovers(before: 50)
        try store.cleanUpLocal(after: 50, Retention(keep: 1, everyKept: 0))
        try store.removeAll()
        #expect(try steps(all) == [20, 25, 60])
    }

    @Test func `numbers that are not finite are found in a file that is whole`() throws {
        let folder = try TemporaryFolder()
        let store = CheckpointStore(folder.path)
        for value in [Float.nan, .infinity, -.infinity, -.nan, .greatestFiniteMagnitude, 0, .leastNonzeroMagnitude] {
            let file = try save(store, 7, value).files[0]
            if value.isFinite {
                try store.verify(file, step: 7)
            } else {
                let error = #expect(throws: NotFiniteError.self) { try store.verify(file, step: 7) }
                #expect(error?.tensor == "x" && error?.index == 0)
            }
        }
        // Wherever it is, and not aligned.
        var bytes = [UInt8](repeating: 1, count: 4 * 10_000 + 1)
        #expect(bytes.withUnsafeBytes { Finite.firstFault(UnsafeRawBufferPointer(rebasing: $0[1...])) } == nil)
        for index in [0, 4095, 4096, 9_999] {
            bytes.replaceSubrange(4 * index + 1..<4 * index + 5, with: [0, 0, 0xC0, 0xFF])
            #expect(bytes.withUnsafeBytes { Finite.firstFault(UnsafeRawBufferPointer(rebasing: $0[1...])) } == index)
            bytes.replaceSubrange(4 * index + 1..<4 * index + 5, with: [1, 1, 1, 1])
        }
    }
}
