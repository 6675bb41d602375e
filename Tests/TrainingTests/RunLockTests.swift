import Checkpoints
import Files
import Foundation
import Testing
import Training

@Suite struct RunLockTests {
    @Test func `a second run in a folder is refused and told of the first, until the first is over`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("run")
        try Folder.make(path)
        var first: RunLock? = try RunLock(path)
        #expect(first?.warning == nil)
        let error = #expect(throws: FileError.self) { try RunLock(path) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("\(path): cannot start a run in this folder: another run is under way there: "))
        #expect(text.contains("process \(getpid()) on \(ProcessInfo.processInfo.hostName), since 20"))
        #expect(text.contains("run.directory"))
        first = nil
        #expect(first == nil)
        #expect(throws: Never.self) { try RunLock(path) }
    }

    @Test func `who holds a folder is told by its lock`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("run")
        try Folder.make(path)
        #expect(RunLock.holder(of: path) == .nobody)
        var lock: RunLock? = try RunLock(path)
        guard case .process(let owner) = RunLock.holder(of: path) else {
            Issue.record("\(RunLock.holder(of: path))")
            return
        }
        #expect(owner.hasPrefix("process \(getpid()) on "))
        #expect(lock != nil)
        lock = nil
        #expect(RunLock.holder(of: path) == .nobody)
        // One that was killed leaves its words and no lock.
        _ = try folder.write("run/run.lock", "process 1 on n1".utf8)
        #expect(RunLock.holder(of: path) == .dead("process 1 on n1"))
    }
}
