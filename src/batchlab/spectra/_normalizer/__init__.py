"""How a text file is read: proposed by rules, by known plans or by an AI, and judged before it is used."""
