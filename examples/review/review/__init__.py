"""리뷰: what customers think of what was delivered. A subgraph in another language, with a store of its own."""
