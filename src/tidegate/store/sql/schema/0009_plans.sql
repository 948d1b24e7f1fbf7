-- The lines of the journal that a step wrote, for its undo: few lines are of any step, so most pay nothing for it.
CREATE INDEX journal_step ON journal ((before ->> 'step')) WHERE before ->> 'step' IS NOT NULL;
