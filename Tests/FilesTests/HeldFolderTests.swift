import Files
import Foundation
import Testing

@Suite struct HeldFolderTests {
    private let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("files-\(UUID().uuidString)").path
        try Folder.make(root)
    }

    private func reason(_ change: (String) throws -> Void) throws -> String? {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let path = "\(root)/run"
        try Folder.make(path)
        let folder = try HeldFolder(path)
        try folder.check()
        try change(path)
        do { try folder.check() } catch let error as FileError {
            #expect(error.path == path)
            return error.reason
        }
        return nil
    }

    @Test func `a folder that is renamed is told with its new name`() throws {
        #expect(
            try reason { try FileManager.default.moveItem(atPath: $0, toPath: "\(root)/moved") }
                == "it was renamed to \(Folder.realPath(root))/moved while the run was under way: give it its name back"
        )
    }

    @Test func `a folder that is removed, and one in its place`() throws {
        #expect(
            try reason { try FileManager.default.removeItem(atPath: $0) }
                == "it was removed while the run was under way")
    }

    @Test func `one that is renamed and replaced`() throws {
        let found = try reason {
            try FileManager.default.moveItem(atPath: $0, toPath: "\(root)/moved")
            try Folder.make($0)
        }
        #expect(found?.contains("and something else has its name") == true, "\(found ?? "")")
    }

    @Test func `what failed in a folder that has gone is told as that`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let path = "\(root)/run"
        try Folder.make(path)
        let folder = try HeldFolder(path)
        let failure = FileError(path: "\(path)/model", operation: "rename it", reason: "No such file or directory")
        #expect("\(folder.cause(of: failure))" == "\(failure)")
        try FileManager.default.moveItem(atPath: path, toPath: "\(root)/moved")
        #expect("\(folder.cause(of: failure))".contains("it was renamed to"))
    }

    @Test func `one that was away for a while is the same`() throws {
        #expect(
            try reason {
                try FileManager.default.moveItem(atPath: $0, toPath: "\(root)/moved")
                try FileManager.default.moveItem(atPath: "\(root)/moved", toPath: $0)
            } == nil)
    }

    @Test func `a folder is made only below one that is there`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(throws: FileError.self) { try Folder.make("\(root)/a/b/c", below: "\(root)/a") }
        #expect(!Folder.isFolder("\(root)/a"))
        try Folder.make("\(root)/a/b/c", below: root)
        #expect(Folder.isFolder("\(root)/a/b/c"))
        #expect(Folder.holds("\(root)/a", "\(root)/a/../a/b") && !Folder.holds("\(root)/a/b", "\(root)/a"))
    }
}
