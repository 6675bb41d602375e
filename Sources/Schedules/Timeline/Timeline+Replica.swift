extension Timeline {
    /// The part of one replica, whose ranks are neighbours in the world; its ranks count from 0 again.
    ///
    /// - Parameter ranks: ranks of a replica
    public func replica(_ replica: Int, ranks: Int) -> Timeline {
        let own = replica * ranks..<(replica + 1) * ranks
        var part = Timeline(title: title, ranks: ranks)
        part.spans = spans.filter { own.contains($0.rank) }
        part.arrows = arrows.filter { own.contains($0.fromRank) && own.contains($0.toRank) }
        for i in part.spans.indices { part.spans[i].rank -= own.lowerBound }
        for i in part.arrows.indices {
            part.arrows[i].fromRank -= own.lowerBound
            part.arrows[i].toRank -= own.lowerBound
        }
        return part
    }
}
